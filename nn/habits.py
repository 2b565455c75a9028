"""What people write by habit who come from other libraries, and what to write with nn: answers to names it has not."""

from __future__ import annotations

import sys
from typing import Any

from autograd_lite.extend import Answers

_ON_CPU = "arrays are NumPy's, on the CPU; leave it out"
_PARAMETERS = "assign a Tensor with requires_grad=True to an attribute"
_LIST = "write a Python list or dict of modules as an attribute; it is looked into"
_CONVOLUTION = "there are no convolutions; a sum of products of slices is one, and np.einsum or np.matmul of windows"
_RECURRENT = "there are no recurrent layers; write the loop over the steps in forward()"
_POOLING = "there are no pooling layers; write x.reshape(n, h // 2, 2, w // 2, 2).max(axis=(2, 4)) in forward()"
_SCHEDULE = "write a schedule of nn.schedules, and nn.LearningRate(schedule) in fit(callbacks=)"
_RESHAPE = "write lambda x: x.reshape(len(x), -1) as a layer"
_SCALER = "write nn.data.standardize(X_train, X_test)"
_ATTENTION = "there is no attention layer; write nn.softmax(q @ k.swapaxes(-1, -2) / np.sqrt(d)) @ v in forward()"
_SKLEARN = "write nn.sklearn.{}"

PACKAGE: Answers = {
    # PyTorch: layers
    "Linear": "write nn.Dense(in_features, out_features)", "Bilinear": "write np.einsum in forward()",
    "Conv1d": _CONVOLUTION, "Conv2d": _CONVOLUTION, "Conv3d": _CONVOLUTION, "Conv2D": _CONVOLUTION,
    "Conv1D": _CONVOLUTION, "ConvTranspose2d": _CONVOLUTION, "MaxPool2d": _POOLING, "AvgPool2d": _POOLING,
    "MaxPooling2D": _POOLING, "AdaptiveAvgPool2d": _POOLING, "LSTM": _RECURRENT, "GRU": _RECURRENT, "RNN": _RECURRENT,
    "LSTMCell": _RECURRENT, "GRUCell": _RECURRENT, "Flatten": _RESHAPE, "Unflatten": "write x.reshape in forward()",
    "BatchNorm1d": "write nn.BatchNorm(features)", "BatchNorm2d": "write nn.BatchNorm(features), over the last axis",
    "BatchNormalization": "write nn.BatchNorm(features)", "LayerNormalization": "write nn.LayerNorm(features)",
    "GroupNorm": "write nn.LayerNorm over the last axis of x.reshape(...)", "RMSNorm": "write it in forward()",
    "InstanceNorm2d": "write nn.LayerNorm over the last axis of x.reshape(...)",
    "Identity": "write lambda x: x as a layer", "Lambda": "write the function itself as a layer",
    "ModuleList": _LIST, "ModuleDict": _LIST, "ParameterList": _LIST, "ParameterDict": _LIST,
    "Parameter": _PARAMETERS, "Buffer": "assign a Tensor to an attribute",
    "MultiheadAttention": _ATTENTION, "MultiHeadAttention": _ATTENTION, "Transformer": _ATTENTION,
    "TransformerEncoder": _ATTENTION, "Dropout1d": "write nn.Dropout(p)", "Dropout2d": "write nn.Dropout(p)",
    "AlphaDropout": "write nn.Dropout(p)", "PReLU": "write nn.LeakyReLU(negative_slope)",
    "ReLU6": "write lambda x: np.clip(x, 0, 6) as a layer",
    "Hardtanh": "write lambda x: np.clip(x, -1, 1) as a layer",
    "Mish": "write lambda x: x * np.tanh(nn.softplus(x)) as a layer", "Swish": "write nn.SiLU",
    "SELU": "write lambda x: 1.0507 * nn.elu(x, 1.67326) as a layer", "swish": "write nn.silu",
    "Softmax2d": "write nn.Softmax(axis)", "LogSigmoid": "write lambda x: -nn.softplus(-x) as a layer",
    "Softsign": "write lambda x: x / (1 + abs(x)) as a layer", "Network": "write nn.MLP([784, 128, 10])",
    # PyTorch: losses
    "CrossEntropyLoss": "write nn.softmax_cross_entropy(logits, labels)",
    "cross_entropy": "write nn.softmax_cross_entropy(logits, labels)",
    "NLLLoss": "write nn.softmax_cross_entropy(logits, labels), with the logits and not their log-softmax",
    "BCEWithLogitsLoss": "write nn.sigmoid_cross_entropy(logits, targets)",
    "BCELoss": "write nn.sigmoid_cross_entropy(logits, targets), with the logits and no sigmoid before",
    "binary_cross_entropy": "write nn.sigmoid_cross_entropy(logits, targets), with the logits and no sigmoid before",
    "MSELoss": "write nn.mean_squared_error(predictions, targets)", "mse_loss": "write nn.mean_squared_error",
    "mse": "write nn.mean_squared_error",
    "L1Loss": "write abs(predictions - targets).mean() as a function of your own",
    "HuberLoss": "write a function of your own with np.where", "SmoothL1Loss": "write a function of your own",
    "KLDivLoss": "write nn.softmax_cross_entropy(logits, distributions)", "GaussianNLLLoss": "write its formula",
    "functional": "write nn.relu, nn.softmax_cross_entropy and their like", "F": "write nn.relu and its like",
    # PyTorch: data, training
    "DataLoader": "write nn.data.Minibatches(X, y, batch_size=32)", "Dataset": "write nn.data.Minibatches(X, y)",
    "TensorDataset": "write nn.data.Minibatches(X, y)", "random_split": "write nn.data.train_test_split(X, y)",
    "optim": "write nn.SGD, nn.Adam and so on", "utils": "write nn.clip_gradient_norm, or see nn.data",
    "lr_scheduler": _SCHEDULE,
    "StepLR": "write nn.schedules.StepDecay, and nn.LearningRate(schedule) in fit(callbacks=)",
    "ExponentialLR": _SCHEDULE, "CosineAnnealingLR": _SCHEDULE, "LambdaLR": _SCHEDULE, "OneCycleLR": _SCHEDULE,
    "MultiStepLR": _SCHEDULE, "ReduceLROnPlateau": "write nn.ReduceOnPlateau", "LearningRateScheduler": _SCHEDULE,
    "clip_grad_norm_": "write nn.clip_gradient_norm(parameters, max_norm)",
    "clip_grad_value_": "write nn.clip_gradient_value(parameters, limit)",
    "parameters": "write model.parameters()", "no_grad": "write autograd_lite.no_grad()",
    "save": "write nn.save_weights(model, path)", "load": "write nn.load_model(path)",
    "compile": "write autograd_lite.compile(f); fit compiles its steps by itself",
    "Tensor": "write autograd_lite.Tensor",
    "LBFGS": "write scipy.optimize.minimize with autograd_lite.value_and_grad", "NAdam": "write nn.Adam",
    "Momentum": "write nn.SGD(parameters, lr, momentum=0.9)", "Adadelta": "write nn.RMSprop or nn.Adam",
    "Lion": "write a class with update(self, w, g, state, t, options), see nn.Optimizer", "Adamax": "write nn.Adam",
    "RAdam": "write nn.Adam",
    # Keras
    "Model": "write nn.Module", "Input": "leave it out: layers are given their sizes", "InputLayer": "leave it out",
    "Layer": "write nn.Module", "Activation": "write nn.ReLU() and its like, or any function",
    "BinaryCrossentropy": "write nn.sigmoid_cross_entropy(logits, targets)",
    "CategoricalCrossentropy": "write nn.softmax_cross_entropy(logits, distributions)",
    "SparseCategoricalCrossentropy": "write nn.softmax_cross_entropy(logits, labels)",
    "MeanSquaredError": "write nn.mean_squared_error", "ModelCheckpoint": "write nn.Checkpoint(folder)",
    "callbacks": "write nn.EarlyStopping and its like", "models": "write nn.Sequential or nn.MLP",
    "to_categorical": "write nn.data.one_hot(labels)", "Reshape": "write lambda x: x.reshape(shape) as a layer",
    "CSVLogger": "write history.to_csv(path), after fit",
    "TerminateOnNaN": "leave it out: fit stops at a loss of NaN",
    "regularizers": "write nn.l2_penalty in fit(penalty=), or weight_decay= of an optimizer",
    "initializers": "see nn.init", "datasets": "write nn.data.load_mnist()",
    # scikit-learn
    "MLPClassifier": _SKLEARN.format("MLPClassifier"), "MLPRegressor": _SKLEARN.format("MLPRegressor"),
    "StandardScaler": _SCALER, "MinMaxScaler": _SCALER, "train_test_split": "write nn.data.train_test_split(X, y)",
    "Minibatches": "write nn.data.Minibatches", "load_mnist": "write nn.data.load_mnist()",
    "LabelEncoder": "write classes, y = np.unique(labels, return_inverse=True)",
    "OneHotEncoder": "write nn.data.one_hot(labels)", "one_hot": "write nn.data.one_hot(labels)",
    "accuracy": "write nn.metrics.accuracy", "accuracy_score": "write nn.metrics.accuracy",
    "log_loss": "write nn.metrics.log_loss", "f1_score": "write nn.metrics.f1_score",
    "confusion_matrix": "write nn.metrics.confusion_matrix", "roc_auc_score": "write nn.metrics.roc_auc",
    "Pipeline": "write sklearn.pipeline.Pipeline with nn.sklearn's estimators",
}  # fmt: skip
"""Of the package, by the name that is missing."""


class _Within(dict[str, str]):
    """The answers of a part of the package, whose names are the package's."""

    def get(self, name: str, default: Any = None) -> Any:
        if not name.startswith("_") and hasattr(sys.modules[__package__], name):
            return f"write nn.{name}"
        return super().get(name, default)


WITHIN: Answers = _Within(PACKAGE)

METRICS: Answers = {
    "accuracy_score": "write nn.metrics.accuracy", "Accuracy": "write nn.metrics.accuracy",
    "roc_auc_score": "write nn.metrics.roc_auc", "AUC": "write nn.metrics.roc_auc",
    "precision_score": "write nn.metrics.precision", "recall_score": "write nn.metrics.recall",
    "precision_recall_fscore_support": "write nn.metrics.precision_recall",
    "mean_squared_error": "write nn.mean_squared_error(predictions, targets)",
    "mean_absolute_error": "write abs(predictions - targets).mean()",
    "r2_score": "write 1 - ((y - p) ** 2).mean() / y.var()",
    "top_k_accuracy_score": "write nn.metrics.top_k_accuracy",
    "classification_report": "write nn.metrics.precision_recall(y, p, average=None)",
}  # fmt: skip

INIT: Answers = {
    "xavier_uniform_": "write init=\"glorot_uniform\" where the layer is made",
    "xavier_normal_": "write init=\"glorot_normal\" where the layer is made",
    "kaiming_uniform_": "write init=\"he_uniform\" where the layer is made",
    "kaiming_normal_": "write init=\"he_normal\" where the layer is made",
    "uniform_": "write init=nn.init.uniform(low, high) where the layer is made",
    "normal_": "write init=nn.init.normal(mean, std) where the layer is made",
    "zeros_": "write init=nn.init.zeros where the layer is made", "constant_": "assign to the parameter's .data",
    "xavier_uniform": "write glorot_uniform", "xavier_normal": "write glorot_normal",
    "kaiming_uniform": "write he_uniform", "kaiming_normal": "write he_normal",
    "ones_": "assign to the parameter's .data",
    "orthogonal_": "write np.linalg.qr of normal numbers, and assign to the parameter's .data",
    "lecun_uniform": "write glorot_uniform", "HeNormal": "write he_normal", "GlorotUniform": "write glorot_uniform",
}  # fmt: skip

MODULE: Answers = {
    # PyTorch
    "to": "write dtype= where the layers are made; arrays are NumPy's, on the CPU", "cuda": _ON_CPU, "cpu": _ON_CPU,
    "float": "write dtype=np.float32 where the layers are made", "half": "write dtype=np.float16 where they are made",
    "double": "write dtype=np.float64 where the layers are made", "share_memory": _ON_CPU,
    "children": "write vars(model), or model.named_modules()", "named_children": "write model.named_modules()",
    "modules": "write [module for _, module in model.named_modules()]",
    "apply": "write for name, module in model.named_modules():", "buffers": "write model.state_dict()",
    "named_buffers": "write model.state_dict()", "register_parameter": _PARAMETERS,
    "requires_grad_": "write for p in model.parameters(): p.requires_grad = False",
    "register_buffer": "assign a Tensor to an attribute", "register_module": "assign the module to an attribute",
    "add_module": "assign the module to an attribute, or append it to model.layers",
    "register_forward_hook": "write a module whose forward() calls the other one",
    "register_backward_hook": "write tensor.register_hook(hook) in forward()",
    "register_full_backward_hook": "write tensor.register_hook(hook) in forward()",
    "grad": "write p.grad of each parameter", "get_parameter": "write dict(model.named_parameters())[name]",
    # Keras
    "fit": "write nn.fit(model, loss, optimizer, (X, y))", "predict": "write nn.predict(model, X)",
    "compile": "give loss and optimizer to nn.fit(model, loss, optimizer, (X, y)), which compiles the steps by itself",
    "evaluate": "write nn.metrics.accuracy(y, nn.predict(model, X)), or a loss", "summary": "write nn.summary(model)",
    "save": "write nn.save_weights(model, path)", "save_weights": "write nn.save_weights(model, path)",
    "load_weights": "write nn.load_weights(model, path)", "get_weights": "write model.state_dict()",
    "set_weights": "write model.load_state_dict(state)", "weights": "write model.parameters()",
    "trainable_weights": "write model.parameters()", "trainable_variables": "write model.parameters()",
    "variables": "write model.parameters()", "count_params": "write model.parameter_count()",
    "add": "write nn.Sequential(*layers), or append to model.layers", "append": "append to model.layers",
    "train_on_batch": "write loss.backward() and optimizer.step()",
    "build": "leave it out: layers are given their sizes",
    "trainable": "write p.requires_grad = False for its parameters", "history": "nn.fit returns it",
    "kernel": "write .weight",
    # scikit-learn
    "predict_proba": "write nn.softmax(nn.predict(model, X))",
    "score": "write nn.metrics.accuracy(y, nn.predict(model, X))",
    "get_params": "write model.state_dict(), or nn.sklearn.MLPClassifier for an estimator",
    "partial_fit": "write nn.fit, which goes on from the model's weights", "coefs_": "write layer.weight",
    "intercepts_": "write layer.bias", "weight": "a model's weights are its layers', as model.layers[0].weight",
    "bias": "a model's biases are its layers', as model.layers[0].bias",
}  # fmt: skip

MODULE_KEYWORDS: Answers = {
    "units": "the sizes are Dense(in_features, out_features)", "use_bias": "write bias=",
    "kernel_initializer": "write init=", "bias_initializer": "biases begin at 0; assign to .bias.data",
    "kernel_regularizer": "write penalty= of nn.fit, or weight_decay= of an optimizer",
    "input_dim": "the sizes are Dense(in_features, out_features)",
    "input_shape": "the sizes are Dense(in_features, out_features)", "device": _ON_CPU, "inplace": "leave it out",
    "Dense:activation": "add the activation as a layer of its own, as nn.Sequential(nn.Dense(3, 4), nn.ReLU())",
    "Dense:input_size": "write in_features=", "Dense:output_size": "write out_features=",
    "dim": "write axis=", "rate": "write p=", "drop": "write p=", "alpha": "write negative_slope=",
    "num_features": "write features=", "normalized_shape": "write features=", "axis": "the last axis is normalised",
    "input_size": "write features=", "input_features": "write in_features=",
    "vocab_size": "write num_embeddings=", "output_dim": "write embedding_dim=", "affine": "leave it out",
    "elementwise_affine": "leave it out", "epsilon": "write eps=",
    "padding_idx": "multiply its rows by 0 in forward()",
    "seed": "write rng=", "random_state": "write rng=", "activations": "write activation=",
    "layers": "write sizes=, with the numbers of inputs and outputs, as in [784, 128, 10]",
    "hidden_layer_sizes": "write sizes=, with the numbers of inputs and outputs, as in [784, 128, 10]",
    "hidden_sizes": "write sizes=, with the numbers of inputs and outputs, as in [784, 128, 10]",
    "layer_sizes": "write sizes=", "initializer": "write init=",
    "dropout": "write nn.Sequential with nn.Dropout layers",
    "set_to_none": "leave it out: gradients are set to None", "strict": "leave it out: names must match",
    "recurse": "leave it out",
}  # fmt: skip
"""Of the constructors and methods of modules."""

OPTIMIZER: Answers = {
    "param_groups": "write optimizer.groups", "learning_rate": "write optimizer.lr",
    "defaults": "write optimizer.groups[0].options", "state": "write optimizer.state_dict()",
    "add_param_group": "make the optimizer with all groups at once, as a list of dicts",
    "minimize": "write loss.backward() and optimizer.step()",
    "apply_gradients": "write loss.backward() and optimizer.step()", "apply": "write optimizer.step()",
    "variables": "write optimizer.state_dict()", "iterations": "write optimizer.state_dict()",
    "init": "make it with the parameters: nn.Adam(model.parameters())",
}  # fmt: skip

OPTIMIZER_KEYWORDS: Answers = {
    "learning_rate": "write lr=", "learning_rate_init": "write lr=", "step_size": "write lr=", "eta": "write lr=",
    "beta_1": "write betas=(beta_1, beta_2)", "beta_2": "write betas=(beta_1, beta_2)",
    "beta1": "write betas=(beta_1, beta_2)", "beta2": "write betas=(beta_1, beta_2)",
    "b1": "write betas=(beta_1, beta_2)", "b2": "write betas=(beta_1, beta_2)", "epsilon": "write eps=",
    "rho": "write alpha=", "decay": "write a schedule, nn.LearningRate(schedule) in fit(callbacks=)",
    "weight_decay_rate": "write weight_decay=", "l2": "write weight_decay=",
    "alpha": "write weight_decay= for an L2 penalty",
    "dampening": "leave it out: velocity is momentum v + g", "amsgrad": "there is no AMSGrad; leave it out",
    "maximize": "write the loss with a minus", "foreach": "leave it out", "fused": "leave it out: steps are fused",
    "capturable": "leave it out", "differentiable": "write the step as an expression, with create_graph=True",
    "clipnorm": "write nn.clip_gradient_norm(parameters, max_norm), or nn.ClipGradientNorm in fit(callbacks=)",
    "clipvalue": "write nn.clip_gradient_value(parameters, limit)", "parameters": "write params=",
    "model": "write params=",
    "set_to_none": "leave it out: gradients are set to None", "closure": "call loss.backward() before step()",
}  # fmt: skip
"""Of the constructors and methods of optimizers."""

CALLBACK_KEYWORDS: Answers = {
    "restore_best_weights": "leave it out: the best weights are restored; see restore_best=",
    "verbose": "write progress= of nn.fit", "save_best_only": "write nn.EarlyStopping, which keeps the best weights",
    "filepath": "write nn.Checkpoint(folder)", "min_lr": "see nn.ReduceOnPlateau",
    "scheduler": "write nn.LearningRate(f)",
}  # fmt: skip

FIT_KEYWORDS: Answers = {
    "validation_data": "write validation=(X, y)",
    "validation_split": "split by nn.data.train_test_split(X, y), and write "
    "validation=", "verbose": "write progress=False, or progress=\"lines\"", "n_epochs": "write epochs=",
    "max_iter": "write epochs=", "num_epochs": "write epochs=", "x": "write train=(X, y)", "y": "write train=(X, y)",
    "X": "write train=(X, y)", "data": "write train=(X, y)",
    "shuffle": "arrays are shuffled in each epoch; otherwise write train=nn.data.Minibatches(X, y, shuffle=False)",
    "sample_weight": "write train=(X, weights, y), a model that passes the weights on, and a loss that uses them",
    "class_weight": "write the loss as lambda z, y: nn.softmax_cross_entropy(z, y, class_weight=weights)",
    "random_state": "write rng=", "seed": "write rng=", "lr": "write it where the optimizer is made",
    "learning_rate": "write it where the optimizer is made", "criterion": "write loss=", "loss_fn": "write loss=",
    "steps_per_epoch": "write train= as an iterable of batches", "initial_epoch": "write resume=folder",
    "early_stopping": "write callbacks=[nn.EarlyStopping()]", "checkpoint": "write callbacks=[nn.Checkpoint(folder)]",
    "device": _ON_CPU, "workers": "leave it out", "num_workers": "leave it out", "jit": "write compile=",
}  # fmt: skip
"""Of `fit`."""

LOSS_KEYWORDS: Answers = {
    "weight": "write class_weight=", "pos_weight": "write reduction=\"none\", and weight the losses yourself",
    "ignore_index": "write z[y != i], y[y != i]", "size_average": "write reduction=", "reduce": "write reduction=",
    "from_logits": "leave it out: the loss takes logits",
    "sample_weight": "write reduction=\"none\", and weight the losses "
    "yourself", "target": "write it second, without a name", "input": "write it first, without a name",
    "y_true": "outputs come first: loss(outputs, targets)", "y_pred": "outputs come first: loss(outputs, targets)",
}  # fmt: skip
"""Of losses."""
