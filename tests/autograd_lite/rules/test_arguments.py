"""Arguments of NumPy's functions beside the arrays: either the gradient is right, or the call is refused."""

import inspect

import numpy as np
import pytest

from autograd_lite import LostGradientError, Tensor, custom_vjp, defvjp
from autograd_lite.core.registry import DERIVED, RULES, derive
from autograd_lite.formatting import name_of
from autograd_lite.transforms import grad, jvp

from .engine import gradients


def leaf(shape=(2, 3)):
    return Tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True)


REDUCTIONS = [np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std]
by_name = {"ids": lambda value: getattr(value, "__name__", None) or repr(value)}


@pytest.mark.parametrize("function", REDUCTIONS, **by_name)
def test_where_in_a_reduction_is_refused(function):
    initial = {"initial": 0.0} if function in (np.max, np.min) else {}
    with pytest.raises(TypeError, match=r"(where|initial)=.* is not supported .* requires a gradient"):
        function(leaf(), where=np.array([True, False, True]), **initial)


@pytest.mark.parametrize("function", [np.prod, np.max, np.min], **by_name)
def test_an_initial_value_that_the_gradient_depends_on_is_refused(function):
    with pytest.raises(TypeError, match=r"initial=2\.0 is not supported"):
        function(leaf(), initial=2.0)


def test_an_initial_value_of_a_sum_leaves_the_gradient_as_it_is():
    x = leaf()
    np.sum(x, initial=2.0).backward()
    assert x.grad.tolist() == np.ones((2, 3)).tolist()


@pytest.mark.parametrize("ufunc", [np.exp, np.add, np.matmul], **by_name)
def test_where_in_a_ufunc_is_refused(ufunc):
    x = leaf((3, 3))
    with pytest.raises(TypeError, match="where"):
        ufunc(*[x] * ufunc.nin, where=np.ones((3, 3), dtype=bool))


def test_axes_of_a_product_are_refused():
    with pytest.raises(TypeError, match="axes="):
        np.matmul(leaf((3, 3)), leaf((3, 3)), axes=[(0, 1), (1, 0), (0, 1)])


@pytest.mark.parametrize("function", [np.var, np.std], **by_name)
@pytest.mark.parametrize("arguments", [{"mean": np.zeros((1, 1))}, {"correction": 1}], ids=str)
def test_a_given_mean_or_correction_is_refused(function, arguments):
    with pytest.raises(TypeError, match="is not supported"):
        function(leaf(), **arguments)


WITH_OUT = {
    **{function: lambda x, out, function=function: function(x, out=out) for function in [*REDUCTIONS, np.ptp]},
    np.exp: lambda x, out: np.exp(x, out=out),
    np.add: lambda x, out: np.add(x, x, out=out),
    np.add.reduce: lambda x, out: np.add.reduce(x, axis=None, out=out),
    np.cumsum: lambda x, out: np.cumsum(x, out=out),
    np.cumprod: lambda x, out: np.cumprod(x, out=out),
    np.clip: lambda x, out: np.clip(x, 0, 1, out=out),
    np.round: lambda x, out: np.round(x, out=out),
    np.take: lambda x, out: np.take(x, 0, out=out),
    np.dot: lambda x, out: np.dot(x, x, out=out),
    np.outer: lambda x, out: np.outer(x, x, out=out),
    np.trace: lambda x, out: np.trace(x, out=out),
    np.einsum: lambda x, out: np.einsum("ij->", x, out=out),
    np.concatenate: lambda x, out: np.concatenate([x, x], out=out),
    np.stack: lambda x, out: np.stack([x, x], out=out),
}


@pytest.mark.parametrize("call", WITH_OUT.values(), ids=[function.__name__ for function in WITH_OUT])
def test_out_is_refused_and_keeps_what_it_holds(call):
    target = np.full((3, 3), 7.0)
    with pytest.raises(TypeError, match="out="):
        call(leaf((3, 3)), target)
    assert (target == 7).all()


def _takes_out(function):
    return isinstance(function, np.ufunc) or "out" in inspect.signature(function).parameters


@pytest.mark.parametrize("function", [f for f in DERIVED if _takes_out(f)], ids=name_of)
def test_out_is_refused_by_every_function_that_is_written_in_terms_of_others(function):
    expected = rf"{name_of(function)}: got out= \(an array of shape \(3,\)\), .* array = {name_of(function)}\("
    with pytest.raises(TypeError, match=expected):
        DERIVED[function](out=np.ones(3))


@pytest.mark.parametrize(
    "call",
    [
        lambda x, out: np.dot(x, x, out),
        lambda x, out: np.clip(x, 0, 1, out),
        lambda x, out: np.trace(x, 0, 0, 1, None, out),
        lambda x, out: np.nanmean(x, None, None, out),
        lambda x, out: np.modf(x, out, out),
        lambda x, out: np.vecdot(x, x, out),
    ],
    ids=["dot", "clip", "trace", "nanmean", "modf", "vecdot"],
)
def test_out_by_position_is_refused_and_keeps_what_it_holds(call):
    target = np.full((3, 3), 7.0)
    with pytest.raises(TypeError, match="out="):
        call(leaf((3, 3)), target)
    with pytest.raises(TypeError, match="out="):
        jvp(lambda x: call(x, target), (np.ones((3, 3)),), (np.ones((3, 3)),))
    assert (target == 7).all()


def test_an_out_of_none_is_no_array_to_write_into():
    x = leaf((3, 3))
    assert np.dot(x, x, None).data.tolist() == np.dot(x.data, x.data, out=None).tolist()
    assert np.nanmean(x, 0, None, None, True).shape == (1, 3)


def test_the_replacement_of_a_function_needs_no_check_of_out(monkeypatch):
    monkeypatch.delitem(DERIVED, np.ptp)
    derive(np.ptp)(lambda a, axis=None, out=None: np.max(a, axis=axis))
    assert np.ptp(leaf((3,)), 0, None).requires_grad
    with pytest.raises(TypeError, match=r"np\.ptp: got out= \(a float\)"):
        np.ptp(leaf((3,)), 0, 1.0)


# ---- any value ----


def reads(function, *positions):
    """The names of what the graph keeps for a call whose arguments at these positions need a gradient."""
    return RULES[function].recipe(tuple((position, None) for position in positions)).reads


@pytest.mark.parametrize(
    ("call", "function", "kept"),
    [
        (lambda x: np.sum(x, initial=2.0), np.sum, ("a_shape", "axis")),
        (lambda x: np.round(x, 1), np.round, ()),
        (lambda x: np.squeeze(x, axis=None), np.squeeze, ("a_shape",)),
        (lambda x: np.broadcast_to(x, (2, 2, 3)), np.broadcast_to, ()),
        (lambda x: np.real(np.fft.fft(x, 5)), np.fft.fft, ("a_shape", "axis", "norm")),
        (lambda x: np.linalg.pinv(x, rtol=1e-9), np.linalg.pinv, ("a", "out")),
        (lambda x: np.linalg.eigh(x[:, :2], "U")[0], np.linalg.eigh, ("out",)),
    ],
    ids=["sum", "round", "squeeze", "broadcast_to", "fft", "pinv", "eigh"],
)
def test_an_argument_of_any_value_is_taken_and_not_kept_in_the_graph(call, function, kept):
    x = leaf()
    call(x).sum().backward()
    assert x.grad.shape == x.shape
    assert reads(function, 0) == kept


def test_a_users_rule_takes_any_value_only_of_what_it_names():
    def scaled(x, gain, label):
        return x * gain

    strict = custom_vjp(scaled, x=lambda g, gain: g * gain)
    lenient = custom_vjp(scaled, any_value=["label"], x=lambda g, gain: g * gain)
    with pytest.raises(TypeError, match="label='a' is not supported"):
        strict(leaf(), 2.0, "a")
    x = leaf()
    lenient(x, 2.0, "a").sum().backward()
    assert (x.grad.data == 2).all()
    decorated = custom_vjp(any_value=["label"], x=lambda g, gain: g * gain)(scaled)
    assert decorated(x, 2.0, "a").requires_grad


def test_defvjp_takes_any_value_only_of_what_it_names(monkeypatch):
    monkeypatch.setitem(RULES, np.sum, RULES[np.sum])
    defvjp(np.sum, a=lambda g, a_shape: np.broadcast_to(g, a_shape))
    with pytest.raises(TypeError, match=r"initial=2\.0 is not supported"):
        np.sum(leaf(), initial=2.0)
    defvjp(np.sum, any_value=("initial",), a=lambda g, a_shape: np.broadcast_to(g, a_shape))
    x = leaf()
    np.sum(x, initial=2.0).backward()
    assert (x.grad.data == 1).all()


@pytest.mark.parametrize("register", [lambda **k: defvjp(np.sum, **k), lambda **k: custom_vjp(lambda a: a, **k)])
def test_an_argument_of_any_value_that_the_function_does_not_have_is_refused(register):
    rule = RULES[np.sum]
    with pytest.raises(TypeError, match="has no parameter 'start'; it has a"):
        register(any_value=("start",), a=lambda g: g)
    assert RULES[np.sum] is rule


# ---- dtype ----


@pytest.mark.parametrize("function", [np.sum, np.mean, np.prod, np.var, np.std, np.cumsum, np.cumprod], **by_name)
def test_a_reduction_in_a_wider_dtype_hands_back_the_arguments(function):
    x = Tensor([1.0, 2.0, 4.0], requires_grad=True, dtype=np.float32)
    y = function(x, dtype=np.float64)
    assert y.dtype == np.float64
    y.sum().backward()
    (expected,) = gradients(function, [np.array([1.0, 2.0, 4.0])], [np.ones(y.shape)])
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad.data, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.add(x, x, dtype=np.float64),
        lambda x: np.exp(x, dtype=np.float64),
        lambda x: np.einsum("i,i->i", x, x, dtype=np.float64),
        lambda x: np.concatenate([x, x], dtype=np.float64),
        lambda x: np.stack([x, x], dtype=np.float64),
        lambda x: np.vstack([x, x], dtype=np.float64),
        lambda x: np.trace(x * np.ones((3, 1)), dtype=np.float64),
    ],
)
def test_a_wider_dtype_is_numpys_and_the_gradient_the_arguments(call):
    x = Tensor([1.0, 2.0, 4.0], requires_grad=True, dtype=np.float32)
    y = call(x)
    assert y.dtype == np.float64
    y.sum().backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("function", [np.sum, np.prod, np.cumsum], **by_name)
def test_a_dtype_that_carries_no_gradient_is_refused(function):
    with pytest.raises(LostGradientError, match="int64, which carries no gradient"):
        function(leaf(), dtype=np.int64)


# ---- axes ----

WITH_AXIS = {
    **{f: f for f in [*REDUCTIONS, np.ptp, np.cumsum, np.cumprod, np.flip, np.expand_dims, np.squeeze]},
    np.take: lambda x, axis: np.take(x, [0], axis=axis),
    np.take_along_axis: lambda x, axis: np.take_along_axis(x, np.zeros((2, 3), int), axis=axis),
    np.repeat: lambda x, axis: np.repeat(x, 2, axis=axis),
    np.roll: lambda x, axis: np.roll(x, 1, axis=axis),
    np.split: lambda x, axis: np.split(x, 1, axis=axis),
    np.array_split: lambda x, axis: np.array_split(x, 1, axis=axis),
    np.concatenate: lambda x, axis: np.concatenate([x, x], axis=axis),
    np.stack: lambda x, axis: np.stack([x, x], axis=axis),
    np.swapaxes: lambda x, axis: np.swapaxes(x, 0, axis),
    np.moveaxis: lambda x, axis: np.moveaxis(x, 0, axis),
    np.transpose: lambda x, axis: np.transpose(x, (0, axis)),
    np.tensordot: lambda x, axis: np.tensordot(x, x, axes=([axis], [0])),
    np.trace: lambda x, axis: np.trace(x, axis1=axis),
}


@pytest.mark.parametrize("axis", [5, -6])
@pytest.mark.parametrize("call", WITH_AXIS.values(), ids=[function.__name__ for function in WITH_AXIS])
def test_an_axis_out_of_range_is_named_in_an_axis_error(call, axis):
    with pytest.raises((np.exceptions.AxisError, IndexError, ValueError), match=f"axis {axis} is out of bounds"):
        call(leaf(), axis=axis)


# ---- the order of elements in memory ----


@pytest.mark.parametrize("order", ["A", "K"])
def test_an_order_that_depends_on_memory_gets_no_wrong_gradient(order):
    x = leaf()
    with pytest.raises(TypeError, match=f"order='{order}'"):
        np.ravel(x.T, order=order).sum().backward()
    assert x.grad is None


@pytest.mark.parametrize(
    "call", [lambda x: np.copy(x, order="F"), lambda x: np.einsum("ij->ji", x, order="C")], ids=["copy", "einsum"]
)
def test_an_order_that_no_rule_knows_is_refused(call):
    with pytest.raises(TypeError, match="order="):
        call(leaf())


def test_an_order_of_a_ufuncs_result_changes_no_gradient():
    x = leaf()
    y = np.exp(x, order="F")
    y.backward(np.ones((2, 3)))
    assert y.data.flags.f_contiguous
    np.testing.assert_array_equal(x.grad.data, np.exp(x.data))


# ---- what has no rule for its argument ----


def test_methods_of_ufuncs_are_the_functions_of_their_names():
    x = leaf()
    for method, function in [
        (np.add.reduce, np.sum),
        (np.multiply.reduce, np.prod),
        (np.maximum.reduce, np.max),
        (np.minimum.reduce, np.min),
        (np.add.accumulate, np.cumsum),
        (np.multiply.accumulate, np.cumprod),
    ]:
        for arguments in ({}, {"axis": 1}):
            expected = function(x, **{"axis": 0, **arguments})
            cotangent = np.ones(expected.shape)
            found = gradients(lambda a, m=method, k=arguments: m(a, **k), [x.data], [cotangent])
            known = gradients(lambda a, f=function, k=arguments: f(a, **{"axis": 0, **k}), [x.data], [cotangent])
            np.testing.assert_array_equal(found, known)


def test_a_float_index_is_refused():
    with pytest.raises(IndexError, match="getitem of shape"):
        leaf()[0.5]


def test_indices_of_take_along_axis_must_be_integers():
    with pytest.raises(IndexError, match="must be an integer array"):
        np.take_along_axis(leaf((2,)), np.array([True, False]), axis=0)


def test_an_unknown_mode_of_take_is_refused():
    with pytest.raises(ValueError, match=r"np\.take of"):
        np.take(leaf(), [0], mode="bounce")


@pytest.mark.parametrize("mode", ["mean", "linear_ramp", "empty", "maximum"])
def test_modes_of_pad_without_a_rule_are_refused(mode):
    with pytest.raises(TypeError, match="the modes are constant, edge"):
        np.pad(leaf(), 1, mode=mode)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"pad_width": -1}, ValueError),
        ({"pad_width": 1.5}, TypeError),
        ({"pad_width": 1, "filling": 3}, TypeError),
        ({"pad_width": 1, "mode": "edge", "constant_values": 3}, ValueError),
        ({"pad_width": 1, "mode": "reflect", "reflect_type": "odd"}, TypeError),
    ],
    ids=str,
)
def test_pads_that_numpy_or_the_rules_do_not_know_are_refused(arguments, error):
    with pytest.raises(error):
        np.pad(leaf(), **arguments)


def test_a_padding_value_that_requires_a_gradient_is_refused():
    with pytest.raises(TypeError, match="constant_values"):
        np.pad(leaf(), 1, constant_values=leaf(()))


@pytest.mark.parametrize("order", [(0, 0), (0,), (0, 1, 2)], ids=str)
def test_axes_that_are_no_permutation_are_refused(order):
    with pytest.raises(ValueError, match=r"np\.transpose of shape"):
        np.transpose(leaf(), order)


@pytest.mark.parametrize("subscripts", ["ij,jk->il", "ijk->i", "ij->ii"])
def test_subscripts_that_numpy_refuses_are_refused(subscripts):
    with pytest.raises(ValueError, match=r"np\.einsum of"):
        np.einsum(subscripts, leaf())


@pytest.mark.parametrize(
    ("labels", "text"),
    [(([0, 1], [1, 2]), "ab,bc"), (([2, 0], [0, 1]), "ca,ab"), (([..., 1], [1, 0], [..., 0]), "...b,ba->...a")],
)
def test_einsum_takes_a_list_of_labels_after_each_operand(labels, text):
    x, y = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)

    def by_labels(x):
        return np.einsum(x, labels[0], y, *labels[1:])

    expected = np.einsum(text, x, y)
    np.testing.assert_array_equal(by_labels(Tensor(x, requires_grad=True)).data, expected)
    gradient = grad(lambda x: np.sum(np.sin(by_labels(x))))(x)
    np.testing.assert_array_equal(gradient, grad(lambda x: np.sum(np.sin(np.einsum(text, x, y))))(x))


@pytest.mark.parametrize("labels", ["ij", [-1, 0], [0, 52], [0.5, 1], 3])
def test_labels_of_einsum_that_are_no_list_of_integers_are_refused(labels):
    with pytest.raises(TypeError, match=r"np\.einsum: the subscripts must be a string .*list of integers from 0 to 51"):
        np.einsum(leaf((3, 3)), labels)


@pytest.mark.parametrize("sections", [2, 0, -1])
def test_unequal_sections_are_refused(sections):
    with pytest.raises(ValueError, match="axis of length 3 cannot be split"):
        np.split(leaf((3,)), sections)


@pytest.mark.parametrize("more", ["full", "cov"])
def test_a_fit_gives_its_coefficients_alone(more):
    with pytest.raises(TypeError, match=r"np\.polyfit: full= and cov= are not supported"):
        np.polyfit(np.arange(3.0), leaf((3,)), 1, **{more: True})
