"""What the estimators say of wrong parameters and data: the estimator, the parameter, what was given."""

import re
from pathlib import Path

import numpy as np
import pytest

from nn.sklearn import MLPClassifier, MLPRegressor

from .samples import CLASSES, LABELS, NUMBERS, TWO, X

WRONG = [
    ({"hidden_layer_sizes": (3, 0)}, ValueError, "hidden_layer_sizes must be at least 1, got 0"),
    ({"hidden_layer_sizes": 2.5}, TypeError, "hidden_layer_sizes must be an integer, got 2.5"),
    ({"activation": "swoosh"}, ValueError, "the activation 'swoosh' is unknown; expected one of identity, logistic"),
    ({"activation": ("relu", "tanh")}, ValueError, "activation has 2 entries, but there are 1 hidden layers"),
    ({"activation": 3}, TypeError, "an activation must be a name, a function or a module, not int"),
    ({"solver": "newton"}, ValueError, "solver must be one of 'adam', .*, or a function .*; got 'newton'"),
    ({"solver": lambda params: 3}, TypeError, r"solver must give an nn.Optimizer .*; got int"),
    ({"alpha": -1}, ValueError, "alpha must be at least 0, got -1"),
    ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
    ({"batch_size": "all"}, TypeError, "batch_size must be an integer, got 'all'"),
    ({"learning_rate": "fast"}, ValueError, "learning_rate must be one of 'constant', .* got 'fast'"),
    ({"learning_rate_init": 0}, ValueError, "learning_rate_init must be above 0, got 0"),
    ({"max_iter": 1.5}, TypeError, "max_iter must be an integer, got 1.5"),
    ({"shuffle": "yes"}, TypeError, "shuffle must be True or False, got 'yes'"),
    ({"momentum": 1.5}, ValueError, "momentum must be at least 0 and below 1, got 1.5"),
    ({"early_stopping": "score"}, ValueError, "early_stopping must be True, False or 'loss', got 'score'"),
    ({"validation_fraction": 1.0}, ValueError, "validation_fraction must be at least 0 and below 1, got 1.0"),
    ({"n_iter_no_change": 0}, ValueError, "n_iter_no_change must be at least 1, got 0"),
    ({"loss": "hinge"}, ValueError, "loss must be 'log_loss' or a function"),
    ({"dropout": 1.0}, ValueError, "dropout must be at least 0 and below 1, got 1.0"),
    ({"normalization": "group"}, ValueError, "normalization must be 'batch', 'layer' or None, got 'group'"),
    ({"callbacks": 3}, TypeError, "callbacks must be a list of nn.Callback, got 3"),
    ({"dtype": "float16"}, ValueError, r"dtype must be float32, float64 or None \(that of X\), got 'float16'"),
    ({"solver": "lbfgs", "dropout": 0.1}, ValueError, "dropout draws at random, and solver='lbfgs'"),
    ({"solver": "lbfgs", "normalization": "batch"}, ValueError, "batch normalisation needs batches"),
]


@pytest.mark.parametrize(("options", "kind", "message"), WRONG, ids=[message for _, _, message in WRONG])
def test_a_wrong_parameter_is_refused_by_name(options, kind, message):
    with pytest.raises(kind, match=f"^MLPClassifier: {message}"):
        MLPClassifier(**options).fit(X, CLASSES)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (NUMBERS, "Unknown label type: y is 'continuous'.* take MLPRegressor"),
        (np.column_stack([LABELS, 3 * LABELS]), "MultiOutputClassifier"),
        (np.where(NUMBERS > 0, np.nan, 1.0), "Input y contains NaN"),
    ],
)
def test_targets_that_are_no_classes_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier().fit(X, y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((len(X), 2)), r"sample_weight has shape \(120, 2\); expected \(120,\)"),
        (-np.ones(len(X)), "sample_weight must be at least 0"),
        (np.zeros(len(X)), "all of sample_weight is zero"),
        (np.full(len(X), np.nan), "Input sample_weight contains NaN"),
        (np.ones(3), r"inconsistent numbers of samples: \[120, 3\]"),
    ],
)
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_wrong_weights_are_refused(kind, weights, message):
    with pytest.raises(ValueError, match=message):
        kind().fit(X, TWO, sample_weight=weights)


def test_wrong_validation_data_are_refused():
    with pytest.raises(TypeError, match=r"validation_data must be a tuple \(X, y\)"):
        MLPClassifier().fit(X, CLASSES, validation_data=X)
    with pytest.raises(ValueError, match=r"classes that are not in classes_: \['other'\]"):
        MLPClassifier().fit(X, CLASSES, validation_data=(X[:1], ["other"]))
    with pytest.raises(ValueError, match="the validation set has 1 examples, which are too few"):
        MLPRegressor(early_stopping=True, validation_fraction=0.01).fit(X[:50], NUMBERS[:50])


def test_poisson_regression_takes_no_negative_numbers():
    with pytest.raises(ValueError, match="loss='poisson' needs y of at least 0"):
        MLPRegressor(loss="poisson").fit(X, NUMBERS - 10)


def test_partial_fit_says_what_it_needs():
    with pytest.raises(ValueError, match="the first call of partial_fit needs classes"):
        MLPClassifier().partial_fit(X, CLASSES)
    with pytest.raises(ValueError, match="class_weight='balanced' needs all examples"):
        MLPClassifier(class_weight="balanced").partial_fit(X, CLASSES, classes=["low", "middle", "high"])
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        MLPRegressor(early_stopping=True).partial_fit(X, NUMBERS)
    with pytest.raises(AttributeError, match="partial_fit"):
        MLPRegressor(solver="lbfgs").partial_fit(X, NUMBERS)
    estimator = MLPClassifier().partial_fit(X, CLASSES, classes=["low", "middle", "high"])
    with pytest.raises(ValueError, match="are not those of the first call"):
        estimator.partial_fit(X, CLASSES, classes=["low", "high"])
    with pytest.raises(ValueError, match="y is of another kind than before, which was classes"):
        estimator.partial_fit(X, LABELS)


def test_a_batch_of_more_than_all_examples_warns():
    with pytest.warns(UserWarning, match="batch_size=1000 is more than the 120 examples"):
        MLPRegressor(batch_size=1000, max_iter=300, tol=1.0).fit(X, NUMBERS)


@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
def test_weights_are_not_there_before_a_fit(name):
    with pytest.raises(AttributeError, match=f"this MLPRegressor has no {name} before it is fitted"):
        getattr(MLPRegressor(), name)


def test_the_page_for_users_of_scikit_learn_names_what_is_there():
    page = (Path(__file__).parents[3] / "docs" / "from-scikit-learn.md").read_text(encoding="utf-8")
    rows = page.partition("| wanted |")[2].partition("\n\n")[0]
    names = set(re.findall(r"`(\w+)=", rows))
    assert len(names) > 6
    assert names <= {*MLPClassifier().get_params()}
    fitted = MLPClassifier(max_iter=100, tol=1.0, solver="sgd").fit(X, TWO, validation_data=(X, TWO))
    for attribute in re.findall(r"`(\w+_)`", page):
        assert hasattr(fitted, attribute)
