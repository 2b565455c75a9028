"""Data and shapes of estimators that the tests of this room share."""

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.standard_normal((120, 4))
CLASSES = np.array(["low", "middle", "high"])[(X[:, 0] > 0).astype(int) + (X[:, 0] + X[:, 1] > 1)]
TWO = X[:, 0] * X[:, 1] > 0
NUMBERS = np.sin(X[:, 0]) + X[:, 1] ** 2
LABELS = (X[:, :3] > 0.3).astype(int)

QUICK = {"hidden_layer_sizes": (12,), "max_iter": 25, "learning_rate_init": 0.02, "tol": 0.0, "random_state": 0}
"""Options with which a fit takes some milliseconds and learns."""
