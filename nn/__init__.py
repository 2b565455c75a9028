"""Neural networks on autograd_lite.

Models
    `Module`, `Sequential`, `MLP`, `Dense`, `Dropout`, `BatchNorm`, `LayerNorm`, `Embedding`; `init`: initialisers.

Activations, as modules and as functions (`activations`, by name in `ACTIVATIONS`)
    `ReLU`, `LeakyReLU`, `ELU`, `Sigmoid`, `Tanh`, `Softplus`, `GELU`, `SiLU`, `Softmax`, `LogSoftmax`; `relu`,
    `leaky_relu`, `elu`, `sigmoid`, `tanh`, `softplus`, `gelu`, `silu`, `softmax`, `log_softmax`.

Losses and penalties
    `softmax_cross_entropy`, `sigmoid_cross_entropy`, `mean_squared_error`, `quadratic_cost`; `l1_penalty`,
    `l2_penalty`.

Optimizers
    `Optimizer`, `SGD`, `Adam`, `AdamW`, `RMSprop`, `Adagrad`; `schedules`: of learning rates; `weight_decay_groups`,
    `gradient_norm`, `clip_gradient_norm`, `clip_gradient_value`.

Training
    `fit`, `predict`, `History`, `Training`, `TrainingWarning`; `Callback`, `EarlyStopping`, `LearningRate`,
    `ReduceOnPlateau`, `ClipGradientNorm`, `ClipGradientValue`, `GradientMonitor`, `Checkpoint`, `save_checkpoint`.

Models in files, and as tables
    `save_weights`, `load_weights`, `load_model`, `CheckpointError`; `summary`, `Summary`, `LayerSummary`.

Data and figures
    `data`: minibatches, splits, MNIST; `metrics`; `sklearn`: estimators for scikit-learn.
"""

from pathlib import Path as _Path
from typing import TYPE_CHECKING as _TYPE_CHECKING

from autograd_lite.extend import add_library as _add_library
from autograd_lite.extend import on_demand as _on_demand
from autograd_lite.extend import public_names as _public_names

from . import init as init
from . import metrics as metrics
from .habits import PACKAGE as _PACKAGE
from .layers import activations as activations
from .layers.activations import ACTIVATIONS as ACTIVATIONS
from .layers.activations import ELU as ELU
from .layers.activations import GELU as GELU
from .layers.activations import LeakyReLU as LeakyReLU
from .layers.activations import LogSoftmax as LogSoftmax
from .layers.activations import ReLU as ReLU
from .layers.activations import Sigmoid as Sigmoid
from .layers.activations import SiLU as SiLU
from .layers.activations import Softmax as Softmax
from .layers.activations import Softplus as Softplus
from .layers.activations import Tanh as Tanh
from .layers.activations import elu as elu
from .layers.activations import gelu as gelu
from .layers.activations import leaky_relu as leaky_relu
from .layers.activations import log_softmax as log_softmax
from .layers.activations import relu as relu
from .layers.activations import sigmoid as sigmoid
from .layers.activations import silu as silu
from .layers.activations import softmax as softmax
from .layers.activations import softplus as softplus
from .layers.activations import tanh as tanh
from .layers.dense import Dense as Dense
from .layers.dropout import Dropout as Dropout
from .layers.embedding import Embedding as Embedding
from .layers.normalization import BatchNorm as BatchNorm
from .layers.normalization import LayerNorm as LayerNorm
from .layers.sequential import MLP as MLP
from .layers.sequential import Sequential as Sequential
from .losses import mean_squared_error as mean_squared_error
from .losses import quadratic_cost as quadratic_cost
from .losses import sigmoid_cross_entropy as sigmoid_cross_entropy
from .losses import softmax_cross_entropy as softmax_cross_entropy
from .module import Module as Module
from .optimizers import schedules as schedules
from .optimizers.adagrad import Adagrad as Adagrad
from .optimizers.adam import Adam as Adam
from .optimizers.adam import AdamW as AdamW
from .optimizers.base import Optimizer as Optimizer
from .optimizers.clipping import clip_gradient_norm as clip_gradient_norm
from .optimizers.clipping import clip_gradient_value as clip_gradient_value
from .optimizers.clipping import gradient_norm as gradient_norm
from .optimizers.rmsprop import RMSprop as RMSprop
from .optimizers.sgd import SGD as SGD
from .penalties import l1_penalty as l1_penalty
from .penalties import l2_penalty as l2_penalty
from .penalties import weight_decay_groups as weight_decay_groups

if _TYPE_CHECKING:
    from . import data as data
    from . import sklearn as sklearn
    from .io.weights import CheckpointError as CheckpointError
    from .io.weights import load_model as load_model
    from .io.weights import load_weights as load_weights
    from .io.weights import save_weights as save_weights
    from .report.summary import LayerSummary as LayerSummary
    from .report.summary import Summary as Summary
    from .report.summary import summary as summary
    from .training.callbacks import ClipGradientNorm as ClipGradientNorm
    from .training.callbacks import ClipGradientValue as ClipGradientValue
    from .training.callbacks import EarlyStopping as EarlyStopping
    from .training.callbacks import LearningRate as LearningRate
    from .training.callbacks import ReduceOnPlateau as ReduceOnPlateau
    from .training.checkpoint import Checkpoint as Checkpoint
    from .training.checkpoint import save_checkpoint as save_checkpoint
    from .training.fit import fit as fit
    from .training.gradient_monitor import GradientMonitor as GradientMonitor
    from .training.history import History as History
    from .training.predict import predict as predict
    from .training.training import Callback as Callback
    from .training.training import Training as Training
    from .training.training import TrainingWarning as TrainingWarning

__getattr__, __dir__ = _on_demand(
    __name__,
    {
        ".io.weights": ["CheckpointError", "load_model", "load_weights", "save_weights"],
        ".report.summary": ["LayerSummary", "Summary", "summary"],
        ".training.callbacks": [
            "ClipGradientNorm",
            "ClipGradientValue",
            "EarlyStopping",
            "LearningRate",
            "ReduceOnPlateau",
        ],
        ".training.checkpoint": ["Checkpoint", "save_checkpoint"],
        ".training.fit": ["fit"],
        ".training.gradient_monitor": ["GradientMonitor"],
        ".training.history": ["History"],
        ".training.predict": ["predict"],
        ".training.training": ["Callback", "Training", "TrainingWarning"],
    },
    ["data", "sklearn"],
    _PACKAGE,
)

_add_library(_Path(__file__).parent)

# A star import takes all but `sklearn`, which would import scikit-learn.
__all__ = [
    n for n in _public_names(__name__, ["activations", "data", "init", "metrics", "schedules"]) if n != "sklearn"
]
