"""A training that meets a number which is not finite says where it comes from."""

import numpy as np
import pytest

import nn
from autograd_lite import AnomalyError, custom_vjp

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X @ np.array([[1.0], [-2.0], [0.5]])


def fitted(loss=nn.mean_squared_error, X=X, Y=Y, model=None, lr=0.01, **options):
    model = model or nn.MLP([3, 4, 1], rng=0, dtype=np.float64)
    with np.errstate(all="ignore"):
        nn.fit(model, loss, nn.SGD(model.parameters(), lr=lr), (X, Y), progress=False, rng=0, **options)
    return model


def logarithm_of_zero(outputs, targets):
    return -np.mean(np.log(np.maximum(outputs, 0.0) * 0.0) * targets)


def test_the_warning_names_the_operation_its_values_and_its_line():
    line = logarithm_of_zero.__code__.co_firstlineno + 1
    with pytest.warns(nn.TrainingWarning, match=rf"np\.log gave -inf at index .* x was 0\.0, in {__file__}:{line}"):
        fitted(logarithm_of_zero)


@pytest.mark.parametrize("compile", [False, True])
def test_the_warning_names_an_input_that_is_not_finite(compile):
    spoiled = X.copy()
    spoiled[7, 2] = np.inf
    with pytest.warns(nn.TrainingWarning, match="X has inf in row 7, column 2, counted from 0"):
        fitted(X=spoiled, batch_size=40, compile=compile)


def test_the_warning_names_a_target_that_is_not_finite():
    spoiled = Y.copy()
    spoiled[3] = np.nan
    with pytest.warns(nn.TrainingWarning, match="y has nan in row 3, column 0, counted from 0"):
        fitted(Y=spoiled)


def test_the_warning_names_a_parameter_that_an_earlier_step_has_spoiled():
    spoil = custom_vjp(lambda x: x * 1.0, x=lambda g: g * np.nan)
    with pytest.warns(nn.TrainingWarning, match=r"the parameter layers\.\d\.\w+ is nan .*detect_anomaly=True"):
        fitted(lambda outputs, targets: nn.mean_squared_error(spoil(outputs), targets))


def test_looking_for_the_cause_leaves_the_model_as_it_was():
    def make():
        return nn.Sequential(nn.Dense(3, 4, rng=0), nn.BatchNorm(4), nn.Dropout(0.5, rng=1), nn.Dense(4, 1, rng=0))

    inputs = X.astype(np.float32)
    with pytest.warns(nn.TrainingWarning, match=r"np\.log"):
        model = fitted(logarithm_of_zero, inputs, model=make(), batch_size=40)
    after_one_pass = make()
    after_one_pass.train()
    after_one_pass(inputs[np.random.default_rng(0).permutation(40)])
    for name, array in after_one_pass.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], array, rtol=1e-6, err_msg=name)
    assert model[2].rng.bit_generator.state == after_one_pass[2].rng.bit_generator.state


def test_a_model_that_cannot_be_copied_gets_the_usual_advice():
    class Stubborn(nn.MLP):
        def __deepcopy__(self, memo):
            raise RuntimeError

    with pytest.warns(nn.TrainingWarning, match="smaller learning rate"):
        fitted(logarithm_of_zero, model=Stubborn([3, 1], rng=0))


@pytest.mark.parametrize("compile", ["auto", True])
def test_every_step_is_looked_at_where_that_is_asked_for(compile):
    spoil = custom_vjp(lambda x: x * 1.0, x=lambda g: g * np.nan)
    with pytest.raises(AnomalyError, match="for x gave nan"):
        fitted(
            lambda outputs, targets: nn.mean_squared_error(spoil(outputs), targets),
            compile=compile,
            detect_anomaly=True,
        )


def test_training_that_is_looked_at_is_the_same_to_the_bit():
    plain, looked_at = fitted(), fitted(detect_anomaly=True)
    for name, array in plain.state_dict().items():
        np.testing.assert_array_equal(array, looked_at.state_dict()[name])


def test_a_switch_that_is_no_truth_value_is_refused():
    with pytest.raises(TypeError, match="detect_anomaly must be True or False, got 'yes'"):
        fitted(detect_anomaly="yes")
