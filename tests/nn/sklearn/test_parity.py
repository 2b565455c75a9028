"""The estimators beside scikit-learn's own: with the same parameters and seed they give the same results."""

import warnings

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning

import nn.sklearn

from .samples import CLASSES, LABELS, NUMBERS, TWO, X

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHARED = {"max_iter": 30, "random_state": 3, "hidden_layer_sizes": (9,), "n_iter_no_change": 3}

VARIED = [
    {},
    {"hidden_layer_sizes": (8, 5), "activation": "tanh"},
    {"activation": "logistic", "learning_rate_init": 0.01},
    {"activation": "identity", "alpha": 1.0},
    {"batch_size": 40, "beta_1": 0.8, "beta_2": 0.99},
    {"batch_size": 60, "shuffle": False},
    {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.5, "nesterovs_momentum": False},
    {"solver": "sgd", "learning_rate_init": 0.1},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5, "power_t": 0.2},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.5, "tol": 0.05},
    {"tol": 0.02, "learning_rate_init": 0.01},
    {"solver": "lbfgs", "max_iter": 15},
]

TARGETS = {"classes": CLASSES, "two": TWO, "labels": LABELS, "numbers": NUMBERS}


def both(y, options):
    kind = "MLPRegressor" if y is NUMBERS else "MLPClassifier"
    return [getattr(module, kind)(**{**SHARED, **options}).fit(X, y) for module in (nn.sklearn, neural_network)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("options", VARIED, ids=str)
def test_the_weights_are_those_of_scikit_learn(options, target):
    ours, theirs = both(TARGETS[target], options)
    assert ours.n_iter_ == theirs.n_iter_
    for own, other in zip([*ours.coefs_, *ours.intercepts_], [*theirs.coefs_, *theirs.intercepts_], strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("target", ["classes", "two", "numbers"])
def test_the_curve_is_that_of_scikit_learn_with_the_penalty(target):
    ours, theirs = both(TARGETS[target], {"alpha": 3.0})
    # Theirs has the penalty before each step, ours after the last.
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=0.02)
    assert ours.loss_curve_[-1] > 1.01 * ours.history_["loss"][-1]


@pytest.mark.parametrize("target", ["two", "numbers"])
def test_early_stopping_keeps_the_same_examples_and_the_same_best_weights(target):
    ours, theirs = both(TARGETS[target], {"early_stopping": True, "learning_rate_init": 0.02})
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, atol=1e-6)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("target", ["classes", "two", "numbers"])
def test_weights_of_examples_count_as_in_scikit_learn(target):
    y = TARGETS[target]
    weights = np.random.default_rng(0).integers(0, 4, len(X)).astype(float)
    kind = "MLPRegressor" if target == "numbers" else "MLPClassifier"
    ours, theirs = [
        getattr(module, kind)(**SHARED).fit(X, y, sample_weight=weights) for module in (nn.sklearn, neural_network)
    ]
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_every_parameter_of_scikit_learns_is_there_with_its_default(kind):
    ours, theirs = (getattr(module, kind)().get_params() for module in (nn.sklearn, neural_network))
    assert {name: ours.get(name, "missing") for name in theirs} == theirs


def test_probabilities_are_those_of_scikit_learn():
    for y in (CLASSES, TWO, LABELS):
        ours, theirs = both(y, {})
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-3, atol=1e-5)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_poisson_regression_is_that_of_scikit_learn():
    counts = np.random.default_rng(0).poisson(np.exp(X[:, 0]))
    ours, theirs = [
        module.MLPRegressor(loss="poisson", **SHARED).fit(X, counts) for module in (nn.sklearn, neural_network)
    ]
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-4)
    assert (ours.predict(X) > 0).all()


def test_both_warn_where_training_has_not_converged():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        both(TWO, {"max_iter": 2})
    assert [warning.category for warning in caught] == [ConvergenceWarning] * 2
    assert "max_iter=2 epochs" in str(caught[0].message)
