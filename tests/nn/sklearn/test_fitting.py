"""How the estimators fit: networks, solvers, losses, weights, validation, and fits that go on."""

import math
import signal
from functools import partial

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array

import nn
from nn.sklearn import MLPClassifier, MLPRegressor

from .samples import CLASSES, LABELS, NUMBERS, QUICK, TWO, X

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**options):
    return MLPClassifier(**{**QUICK, **options})


def regressor(**options):
    return MLPRegressor(**{**QUICK, **options})


def layers(estimator):
    return [type(layer).__name__ for layer in estimator.model_]


# ---- the network ----


def test_each_layer_has_its_own_activation_normalization_and_dropout():
    estimator = classifier(
        hidden_layer_sizes=(6, 5, 4), activation=("gelu", nn.Tanh(), "identity"), dropout=(0.1, 0.0, 0.2),
        normalization=("batch", None, "layer"),
    ).fit(X, CLASSES)  # fmt: skip
    first, second, third = (
        ["Dense", "BatchNorm", "GELU", "Dropout"],
        ["Dense", "Tanh"],
        ["Dense", "LayerNorm", "Dropout"],
    )
    assert layers(estimator) == [*first, *second, *third, "Dense"]
    assert [weights.shape for weights in estimator.coefs_] == [(4, 6), (6, 5), (5, 4), (4, 3)]


def test_without_hidden_layers_it_is_a_linear_model():
    y = X @ [1.0, -2.0, 0.5, 3.0] + 4
    estimator = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, tol=1e-9, random_state=0).fit(X, y)
    np.testing.assert_allclose(estimator.coefs_[0][:, 0], [1.0, -2.0, 0.5, 3.0], atol=1e-5)
    np.testing.assert_allclose(estimator.intercepts_[0], [4.0], atol=1e-5)


def test_dropout_holds_in_training_and_not_in_use():
    estimator = classifier(dropout=0.5).fit(X, TWO)
    np.testing.assert_array_equal(estimator.predict_proba(X), estimator.predict_proba(X))
    assert not np.allclose(estimator.coefs_[0], classifier().fit(X, TWO).coefs_[0])


def test_batch_normalization_does_without_a_last_batch_of_one():
    estimator = classifier(normalization="batch", batch_size=20).fit(X[:101], TWO[:101])
    assert estimator.n_iter_ == 25


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_arithmetic_is_in_the_dtype(dtype):
    estimator = classifier(dtype=dtype, normalization="batch").fit(X, CLASSES, sample_weight=np.ones(len(X)))
    assert {tensor.dtype for tensor in estimator.model_.parameters()} == {np.dtype(dtype)}
    assert estimator.predict_proba(X).dtype == regressor(dtype=dtype).fit(X, NUMBERS).predict(X).dtype == dtype


def test_the_dtype_is_that_of_the_examples_by_default():
    assert classifier().fit(X.astype(np.float32), TWO).coefs_[0].dtype == np.float32
    assert classifier().fit((10 * X).astype(int), TWO).coefs_[0].dtype == np.float64


# ---- solvers ----


@pytest.mark.parametrize(
    "solver",
    ["adam", "sgd", "adamw", "rmsprop", "adagrad", "lbfgs", partial(nn.Adam, lr=0.1), partial(nn.SGD, lr=0.5)],
)
def test_every_solver_learns(solver):
    estimator = classifier(solver=solver, learning_rate_init=0.1, max_iter=40).fit(X, CLASSES)
    assert estimator.score(X, CLASSES) > 0.85


def test_alpha_is_a_penalty_with_a_solver_of_ones_own_too():
    named = classifier(solver="rmsprop", alpha=2.0).fit(X, TWO)
    own = classifier(solver=lambda params: nn.RMSprop(params, lr=0.02), alpha=2.0).fit(X, TWO)
    np.testing.assert_allclose(named.coefs_[0], own.coefs_[0], rtol=1e-6)
    np.testing.assert_allclose(named.loss_, own.loss_, rtol=0.02)
    assert not np.allclose(named.coefs_[0], classifier(solver="rmsprop", alpha=0.0).fit(X, TWO).coefs_[0], atol=1e-3)


def test_lbfgs_ends_where_the_gradient_is_zero():
    estimator = classifier(solver="lbfgs", max_iter=2000, alpha=1.0, tol=1e-7, activation="tanh").fit(X, CLASSES)
    labels = np.searchsorted(estimator.classes_, CLASSES)
    loss = nn.softmax_cross_entropy(estimator.model_(X), labels) + nn.l2_penalty(estimator.model_, 1.0 / len(X))
    loss.backward()
    assert max(np.abs(parameter.grad.data).max() for parameter in estimator.model_.parameters()) < 1e-4
    assert estimator.loss_ == pytest.approx(loss.item())


def test_a_schedule_scales_the_rate_of_each_epoch():
    rates = classifier(learning_rate=nn.schedules.StepDecay(10, 0.5)).fit(X, TWO).history_["lr"]
    assert rates[0] == 0.02
    assert rates[-1] == 0.005


def test_a_schedule_goes_on_through_partial_fits():
    estimator = classifier(learning_rate=lambda t: 1 / (1 + t))
    rates = [estimator.partial_fit(X, TWO, classes=[False, True]).history_["lr"][0] for _ in range(3)]
    assert rates == pytest.approx([0.02, 0.01, 0.02 / 3])


def test_a_compiled_fit_has_the_bits_of_an_eager_one():
    options = {"max_iter": 160, "batch_size": 50, "dropout": 0.2}
    eager = classifier(compile=False, **options).fit(X, CLASSES, sample_weight=np.linspace(0, 2, len(X)))
    other = classifier(compile="auto", **options).fit(X, CLASSES, sample_weight=np.linspace(0, 2, len(X)))
    np.testing.assert_array_equal(eager.coefs_[0], other.coefs_[0])


# ---- losses and weights ----


def test_a_loss_of_ones_own_gets_logits_and_class_numbers():
    seen = []

    def loss(logits, labels):
        seen.append((logits.shape, labels.shape, labels.dtype.kind))
        return nn.softmax_cross_entropy(logits, labels, label_smoothing=0.1)

    estimator = classifier(loss=loss).fit(X, TWO)
    assert set(seen) == {((120, 2), (120,), "i")}
    assert estimator.score(X, TWO) > 0.8


@pytest.mark.parametrize(("estimator", "y"), [(classifier, CLASSES), (classifier, LABELS), (regressor, NUMBERS)])
def test_a_loss_of_ones_own_takes_weights_as_the_usual_one_does(estimator, y):
    same = {id(CLASSES): nn.softmax_cross_entropy, id(NUMBERS): nn.quadratic_cost}
    loss = same.get(id(y), lambda z, t, reduction="mean": nn.sigmoid_cross_entropy(z, t, reduction))
    weights = np.linspace(0, 2, len(X))
    own = estimator(loss=loss, alpha=0.0, solver="lbfgs", max_iter=3).fit(X, y, sample_weight=weights)
    usual = estimator(alpha=0.0, solver="lbfgs", max_iter=3).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(own.coefs_[0], usual.coefs_[0], rtol=1e-6)


def test_a_loss_that_has_no_reduction_cannot_take_weights():
    estimator = classifier(loss=lambda logits, labels: nn.softmax_cross_entropy(logits, labels))
    with pytest.raises(TypeError, match="a loss of your own must take reduction='none'"):
        estimator.fit(X, TWO, sample_weight=np.ones(len(X)))


@pytest.mark.parametrize(("estimator", "y"), [(classifier, CLASSES), (classifier, LABELS), (regressor, NUMBERS)])
def test_a_weight_of_two_is_an_example_twice(estimator, y):
    weights = np.arange(len(X)) % 4
    once = estimator(solver="lbfgs", max_iter=5).fit(X, y, sample_weight=weights)
    again = estimator(solver="lbfgs", max_iter=5).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights, axis=0))
    np.testing.assert_allclose(once.coefs_[0], again.coefs_[0], rtol=1e-6)
    assert once.loss_ == pytest.approx(again.loss_)


def test_class_weights_are_weights_of_the_examples_of_a_class():
    weights = {"low": 1.0, "middle": 5.0, "high": 0.5}
    by_class = classifier(class_weight=weights).fit(X, CLASSES)
    by_example = classifier().fit(X, CLASSES, sample_weight=[weights[name] for name in CLASSES])
    np.testing.assert_allclose(by_class.coefs_[0], by_example.coefs_[0], rtol=1e-9)
    rare = TWO & (X[:, 2] > 1)
    assert (
        classifier(class_weight="balanced").fit(X, rare).predict(X).sum() > classifier().fit(X, rare).predict(X).sum()
    )


# ---- several outputs ----


def test_labels_of_which_any_number_holds():
    estimator = classifier().fit(X, LABELS)
    probabilities = estimator.predict_proba(X)
    assert probabilities.shape == estimator.decision_function(X).shape == LABELS.shape
    np.testing.assert_array_equal(estimator.predict(X), (probabilities > 0.5).astype(int))
    assert (estimator.predict(X) == LABELS).mean() > 0.85


def test_several_columns_of_numbers():
    y = np.column_stack([NUMBERS, -2 * NUMBERS])
    estimator = regressor().fit(X, y)
    assert estimator.predict(X).shape == y.shape
    assert estimator.score(X, y) > 0.4


@pytest.mark.parametrize("y", [CLASSES, TWO, LABELS], ids=["classes", "two", "labels"])
def test_logarithms_of_probabilities_stay_finite(y):
    estimator = classifier().fit(X, y)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(estimator.predict_log_proba(X), np.log(estimator.predict_proba(X)))
        assert np.isfinite(estimator.predict_log_proba(1e4 * X)).all()


# ---- validation ----


def test_validation_data_give_a_curve_and_scores_and_take_no_examples():
    validation = (X[80:], CLASSES[80:])
    estimator = classifier().fit(X[:80], CLASSES[:80], validation_data=validation)
    assert len(estimator.validation_loss_curve_) == len(estimator.validation_scores_) == estimator.n_iter_ == 25
    assert estimator.validation_scores_[-1] == estimator.score(*validation)
    labels = np.searchsorted(estimator.classes_, validation[1])
    assert estimator.validation_loss_curve_[-1] == pytest.approx(
        nn.softmax_cross_entropy(nn.predict(estimator.model_, validation[0]), labels).item()
    )
    alone = classifier().fit(X[:80], CLASSES[:80])
    np.testing.assert_array_equal(estimator.coefs_[0], alone.coefs_[0])


@pytest.mark.parametrize("estimator", [classifier, regressor])
@pytest.mark.parametrize("by", [True, "loss"])
def test_early_stopping_ends_and_restores_the_weights_of_the_best_epoch(estimator, by):
    y = NUMBERS if estimator is regressor else CLASSES
    options = {"early_stopping": by, "max_iter": 400, "n_iter_no_change": 4, "learning_rate_init": 0.1}
    fitted = estimator(**options).fit(X[:80], y[:80], validation_data=(X[80:], y[80:]))
    assert fitted.n_iter_ < 400
    if by == "loss":
        best = int(np.argmin(fitted.validation_loss_curve_))
    else:
        best = int(np.argmax(fitted.validation_scores_))
        assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    assert best < fitted.n_iter_ - 1
    assert fitted.score(X[80:], y[80:]) == pytest.approx(fitted.validation_scores_[best])


@pytest.mark.parametrize("estimator", [classifier, regressor])
def test_scores_of_validation_are_weighted(estimator):
    y, weights = (NUMBERS if estimator is regressor else CLASSES), np.linspace(0, 1, 40)
    fitted = estimator().fit(X[:80], y[:80], validation_data=(X[80:], y[80:], weights))
    assert fitted.validation_scores_[-1] == pytest.approx(fitted.score(X[80:], y[80:], weights))


def test_validation_examples_have_the_classes_in_their_proportions():
    seen = []

    class Watch(nn.Callback):
        def on_train_begin(self, training):
            seen.append(np.bincount(training.validation[-1]))

    y = np.repeat([0, 1, 2], [60, 40, 20])
    classifier(early_stopping=True, validation_fraction=0.1, callbacks=[Watch()]).fit(X, y)
    np.testing.assert_array_equal(seen, [[6, 4, 2]])


# ---- fits that go on ----


def test_warm_start_goes_on_with_the_weights():
    estimator = classifier(warm_start=True).fit(X, TWO)
    first = estimator.loss_
    estimator.set_params(max_iter=30).fit(X, TWO)
    assert estimator.loss_ < first
    assert (estimator.n_iter_, len(estimator.loss_curve_), estimator.t_) == (30, 55, 55 * len(X))
    with pytest.raises(ValueError, match=r"hidden_layer_sizes is \[3\].* has \[12\]; set warm_start=False"):
        estimator.set_params(hidden_layer_sizes=3).fit(X, TWO)


def test_a_fit_anew_forgets_the_last_one():
    estimator = classifier().fit(X, CLASSES)
    once = estimator.coefs_[0].copy()
    estimator.fit(X, LABELS).fit(X, CLASSES)
    np.testing.assert_array_equal(estimator.coefs_[0], once)
    assert len(estimator.loss_curve_) == 25


@pytest.mark.parametrize("solver", ["adam", "sgd", partial(nn.Adam, lr=0.02)])
def test_partial_fits_are_the_epochs_of_a_fit(solver):
    estimator = classifier(shuffle=False, solver=solver, batch_size=50)
    for _ in range(5):
        estimator.partial_fit(X, CLASSES, classes=np.unique(CLASSES))
    whole = classifier(shuffle=False, solver=solver, batch_size=50, max_iter=5).fit(X, CLASSES)
    np.testing.assert_array_equal(estimator.coefs_[0], whole.coefs_[0])
    assert estimator.loss_curve_ == whole.loss_curve_


def test_partial_fit_takes_examples_of_some_of_the_classes():
    estimator = classifier(random_state=1)
    first = CLASSES == "low"
    estimator.partial_fit(X[first], CLASSES[first], classes=["low", "middle", "high"])
    for _ in range(30):
        estimator.partial_fit(X, CLASSES)
    assert list(estimator.classes_) == ["high", "low", "middle"]
    assert estimator.score(X, CLASSES) > 0.8
    with pytest.raises(ValueError, match=r"classes that are not in classes_: \['other'\]"):
        estimator.partial_fit(X[:2], ["low", "other"])


def test_sparse_examples_are_dense_a_batch_at_a_time():
    dense = np.where(X > 0.5, X, 0.0)
    expected = classifier(batch_size=50).fit(dense, CLASSES)
    for kind in (csr_array, csc_array):
        sparse = classifier(batch_size=50).fit(kind(dense), CLASSES)
        np.testing.assert_array_equal(sparse.coefs_[0], expected.coefs_[0])
        np.testing.assert_array_equal(sparse.predict_proba(kind(dense)), expected.predict_proba(dense))


# ---- callbacks and Ctrl-C ----


class CtrlC(nn.Callback):
    def on_step_end(self, training):
        if training.step == 10:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("early", [False, True])
def test_ctrl_c_ends_the_fit_with_a_warning_and_what_was_learnt(early):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(UserWarning, match="Ctrl-C ended training after 10 epochs"):
            estimator = classifier(callbacks=[CtrlC()], early_stopping=early).fit(X, TWO)
    finally:
        signal.signal(signal.SIGINT, before)
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 10
    assert estimator.predict(X).shape == TWO.shape


def test_callbacks_take_part():
    norms = classifier(solver="sgd", callbacks=[nn.ClipGradientNorm(1e-6)]).fit(X, TWO)
    start = classifier(solver="sgd", learning_rate_init=1e-12).fit(X, TWO)
    np.testing.assert_allclose(norms.coefs_[0], start.coefs_[0], atol=1e-4)
    assert not np.allclose(classifier(solver="sgd").fit(X, TWO).coefs_[0], start.coefs_[0], atol=1e-3)


@pytest.mark.filterwarnings("ignore::nn.TrainingWarning", "ignore:overflow encountered", "ignore:invalid value")
def test_numbers_that_are_not_finite_are_an_error():
    with pytest.raises(ValueError, match=r"the loss is .*; standardise X"):
        regressor(solver="sgd", learning_rate_init=1e8, activation="identity").fit(1e3 * X, NUMBERS)


def test_what_is_best_of_a_curve_is_kept():
    estimator = regressor(learning_rate_init=0.3).fit(X, NUMBERS)
    assert estimator.best_loss_ == min(estimator.loss_curve_) <= estimator.loss_ == estimator.loss_curve_[-1]
    assert estimator.best_validation_score_ is None
    assert math.isfinite(estimator.loss_)


def test_early_stopping_does_with_classes_of_few_examples():
    y = np.arange(len(X)) // 2 % 20
    y[0] = 20  # the only one of its class
    assert len(classifier(early_stopping=True).fit(X, y).validation_scores_) == 25


def test_weights_that_leave_one_side_of_a_split_without_any_are_refused():
    with pytest.raises(ValueError, match="sample_weight is zero for all examples on one side"):
        regressor(early_stopping=True).fit(X, NUMBERS, sample_weight=np.eye(len(X))[0])


def test_the_penalty_of_partial_fits_follows_the_size_of_the_batches():
    options = {"solver": "sgd", "momentum": 0.0, "alpha": 5.0, "shuffle": False, "learning_rate_init": 0.1}
    large = regressor(**options).partial_fit(X, NUMBERS)
    small = regressor(**options).partial_fit(X, NUMBERS)
    small.partial_fit(X[:10], NUMBERS[:10])
    anew = regressor(**options, warm_start=True, max_iter=1)
    anew.fit(X, NUMBERS).fit(X[:10], NUMBERS[:10])
    np.testing.assert_allclose(small.coefs_[0], anew.coefs_[0], rtol=1e-9)
    assert not np.allclose(small.coefs_[0], large.coefs_[0])
