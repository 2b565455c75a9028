"""Estimators for scikit-learn: `MLPClassifier` and `MLPRegressor`, which train with `nn.fit`.

They take the parameters of scikit-learn's estimators of the same names and some more, and work wherever an estimator
does: in pipelines, searches, cross-validation and calibration.
"""

try:
    import sklearn as _sklearn  # noqa: F401 - whether it is there
except ModuleNotFoundError as error:
    raise ImportError(
        "nn.sklearn needs scikit-learn, which is not installed; install it with pip install 'autograd_lite[sklearn]', "
        "or pip install 'scikit-learn>=1.6'"
    ) from error

from .classifier import MLPClassifier as MLPClassifier
from .regressor import MLPRegressor as MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
