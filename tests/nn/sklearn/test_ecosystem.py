"""The estimators within scikit-learn's tools, and what of them travels."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import nn
from nn.sklearn import MLPClassifier, MLPRegressor

from .samples import CLASSES, NUMBERS, QUICK, TWO, X

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**options):
    return MLPClassifier(**{**QUICK, **options})


def table():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    frame["kind"] = np.where(X[:, 0] > 0, "plus", "minus")
    return frame


# ---- tools ----


def test_a_pipeline_of_columns_with_names_learns():
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), ["a", "b"]), ("kinds", OneHotEncoder(sparse_output=False), ["kind"])]
    ).set_output(transform="pandas")
    pipeline = make_pipeline(columns, classifier()).fit(table(), CLASSES)
    assert pipeline.score(table(), CLASSES) > 0.8
    names = ["numbers__a", "numbers__b", "kinds__kind_minus", "kinds__kind_plus"]
    assert pipeline[-1].feature_names_in_.tolist() == names


def test_columns_in_another_order_are_refused():
    frame = table()[["a", "b"]]
    fitted = classifier().fit(frame, TWO)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame[["b", "a"]])
    with pytest.raises(ValueError, match="feature names should match"):
        classifier().fit(frame, TWO, validation_data=(frame[["b", "a"]], TWO))


def test_a_search_in_two_processes_finds_the_same_as_in_one():
    grid = {"activation": ["relu", ("tanh",)], "solver": ["adam", "adamw"]}
    found = [GridSearchCV(classifier(), grid, cv=2, n_jobs=jobs).fit(X, TWO) for jobs in (1, 2)]
    np.testing.assert_array_equal(*[search.cv_results_["mean_test_score"] for search in found])
    assert found[0].best_params_ == found[1].best_params_


def test_cross_validation_with_scores_of_other_kinds():
    for scoring in ("accuracy", "neg_log_loss", "roc_auc"):
        scores = cross_val_score(classifier(), X, TWO, cv=3, scoring=scoring)
        assert np.isfinite(scores).all()
    assert cross_val_score(MLPRegressor(**QUICK), X, NUMBERS, cv=3).shape == (3,)


@pytest.mark.parametrize("y", [TWO, CLASSES], ids=["two", "classes"])
def test_calibration(y):
    calibrated = CalibratedClassifierCV(classifier(), cv=2).fit(X, y)
    probabilities = calibrated.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert calibrated.score(X, y) > 0.7


def test_targets_are_scaled_by_a_transformer():
    scaled = TransformedTargetRegressor(MLPRegressor(**QUICK), transformer=StandardScaler()).fit(X, 1e4 * NUMBERS)
    plain = MLPRegressor(**QUICK).fit(X, (NUMBERS - NUMBERS.mean()) / NUMBERS.std())
    assert scaled.score(X, 1e4 * NUMBERS) == pytest.approx(
        plain.score(X, (NUMBERS - NUMBERS.mean()) / NUMBERS.std()), abs=1e-6
    )


def test_importance_by_permutation_finds_the_columns_that_matter():
    importance = permutation_importance(classifier().fit(X, TWO), X, TWO, random_state=0).importances_mean
    assert importance[:2].min() > importance[2:].max()


def test_weights_are_routed_where_they_are_requested():
    weights = np.linspace(0, 2, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        wanting = classifier().set_fit_request(sample_weight=True, validation_data=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, wanting)
        scaled = StandardScaler().fit_transform(X)
        pipeline.fit(X, TWO, sample_weight=weights, validation_data=(scaled, TWO))
    expected = classifier().fit(scaled, TWO, sample_weight=weights)
    np.testing.assert_array_equal(pipeline[-1].coefs_[0], expected.coefs_[0])
    assert len(pipeline[-1].validation_scores_) == 25
    assert not np.array_equal(classifier().fit(scaled, TWO).coefs_[0], expected.coefs_[0])


# ---- copies and files ----


def test_a_clone_has_the_parameters_and_nothing_else():
    fitted = classifier(callbacks=[nn.ClipGradientNorm(1.0)], learning_rate=nn.schedules.CosineDecay(5)).fit(X, TWO)
    copy = clone(fitted)
    assert not hasattr(copy, "model_")
    assert copy.get_params()["learning_rate"] == nn.schedules.CosineDecay(5)
    np.testing.assert_array_equal(copy.fit(X, TWO).coefs_[0], fitted.coefs_[0])


def test_a_pickle_predicts_the_same_and_goes_on_the_same(tmp_path):
    fitted = classifier().partial_fit(X, CLASSES, classes=np.unique(CLASSES))
    joblib.dump(fitted, tmp_path / "model.joblib")
    copies = [pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "model.joblib")]
    expected = fitted.predict_proba(X)
    for copy in copies:
        np.testing.assert_array_equal(copy.predict_proba(X), expected)
    fitted.partial_fit(X, CLASSES)
    for copy in copies:
        np.testing.assert_array_equal(copy.partial_fit(X, CLASSES).coefs_[0], fitted.coefs_[0])


def test_a_pickle_has_little_beside_the_weights():
    fitted = MLPClassifier((50,), max_iter=150, batch_size=2, random_state=0, solver="sgd").fit(X, TWO)
    assert len(pickle.dumps(fitted)) < 60_000


def test_the_network_is_one_of_nns(tmp_path):
    fitted = classifier(normalization="layer").fit(X, TWO)
    nn.save_weights(fitted.model_, tmp_path / "model.safetensors")
    again = nn.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(nn.predict(again, X), nn.predict(fitted.model_, X))


# ---- import ----


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_nn_imports_nothing_of_scikit_learn_until_it_is_asked_for():
    loaded = run(
        "import sys, nn; from nn import *; print('sklearn' in sys.modules); nn.sklearn.MLPClassifier; "
        "print('sklearn' in sys.modules)"
    )
    assert loaded.stdout.split() == ["False", "True"], loaded.stderr


@pytest.mark.parametrize("use", ["nn.sklearn", "from nn.sklearn import MLPClassifier"])
def test_without_scikit_learn_the_error_says_what_to_install(use):
    missing = run(f"import sys; sys.modules['sklearn'] = None; import nn\n{use}")
    assert "ImportError: nn.sklearn needs scikit-learn" in missing.stderr
    assert "pip install 'autograd_lite[sklearn]'" in missing.stderr
