"""scikit-learn's own checks of estimators: every one, none excused."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from nn.sklearn import MLPClassifier, MLPRegressor


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_the_estimators_keep_scikit_learns_conventions(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # or a check would be skipped
    check(estimator)
