"""`compare_gradients`: reads the gradients by hand and by the engine in their various forms, and compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ...transforms.argnums import ArgumentNumbers
from .derivatives import of_derivative
from .engine import after_backward, differentiated, recording_of
from .evidence import Sizes, row_of
from .explain import explanations
from .hand import LOSS, derivation
from .network import calls
from .recording import Recording
from .report import GradientComparison
from .rows import Array, ParameterComparison
from .source import Source, with_lines
from .values import rows_of_values

Gradients = Mapping[str, Any]


def compare_gradients(
    hand: Gradients | Callable[..., Gradients],
    auto: Any,
    *args: Any,
    argnums: ArgumentNumbers = 0,
    loss: Tensor | Callable[[], Tensor] | None = None,
    batch_size: int | None = None,
) -> GradientComparison:
    """Compare gradients derived by hand with the engine's, parameter by parameter, and explain the differences.

    Parameters
    ----------
    hand : dict of arrays, or a function that returns one
        From a parameter's name to the gradient derived by hand; a d may stand before it, as in ``dW1``. Dicts in dicts
        give names with dots. A part of the parameters is enough, and a part of an array: None says that one is not
        derived yet, a masked array or a dict from index to number has some entries alone. A list or tuple in the order
        of the parameters, a vector of all numbers, a module with gradients, and other objects with ``.grad`` are taken
        too, and a pair of the loss and the gradients. A function is called with `args`.

        Gradients of intermediate results may stand beside those of the parameters, by the names of tensors
        (``z.name = "z1"``) or of the variables in which the program keeps them; where a loop keeps several in one
        variable h, they are ``h.0``, ``h.1``, ..., and h is the last. Values of the program, by the same names, are
        under the key ``"values"``.
    auto : Module, dict or function
        A module or a dict whose gradients `backward` has computed: a module's ``named_parameters()`` give names and
        gradients; in a dict, a tensor that requires a gradient means its ``.grad``, and an array or another tensor is
        the gradient itself. Or a function of `args` that returns a scalar loss; it is differentiated here. Or a
        derivative, such as ``jacobian(f)``, ``hessian(f)``, ``hvp(f)`` or ``grad(grad(f))``, whose result is compared.
    *args
        The arguments of the function: arrays, modules, and dicts, lists, tuples or dataclasses of arrays.
    argnums : int or sequence of int, default 0
        The positions of the arguments that hold the parameters. For a single argument, the parameters have the names
        within it, such as ``W1``, ``layers.0.weight`` or ``0``; for an argument that is an array, and for several
        arguments, the names begin with the function's parameter.
    loss : Tensor, or function that returns one, optional
        With a module or a dict: the loss, with its graph kept by ``backward(retain_graph=True)``, or a function that
        computes it again. Its graph is needed to recognise mistakes inside the network; it is not needed if `auto` is a
        function.
    batch_size : int, optional
        The number of rows of the batch, by which averages are recognised if no graph shows it.

    Returns
    -------
    GradientComparison
        The largest absolute and relative difference, the cosine and the worst entry of each parameter, and the
        explanations. Some the gradients show alone: a factor or a sign, a transpose, rows or columns in another order,
        an L2 term that one side lacks, a bias not summed over the batch. The others are looked for in the graph, whose
        edges are changed into their usual wrong versions, one or two at a time, for at most 2 seconds: derivatives of
        activations, operands, sums and means, masks, softmax, statistics taken as constants, indices, paths, steps in
        time. Or the first step is named that is wrong, in the order of the backward pass. An explanation is given only
        if the engine's numbers with that mistake are equal to those by hand: to 1e-9 in double precision, 5e-5 in
        single precision. Beside it are the line of the program, what agrees, and the right formula. A wrong value of
        the program is told before gradients.

    Raises
    ------
    GradientError
        If a parameter has no gradient yet, or the gradients are not those of `loss`.
    KeyError
        If nothing is given by hand, or a name that the engine does not know.
    TypeError
        If a gradient does not consist of numbers, or `auto` holds no gradients.
    ValueError
        If the function's result is not a scalar.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.checks import compare_gradients
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    >>> def loss(parameters, X, y):
    ...     return np.mean((X @ parameters["w"] + parameters["b"] - y) ** 2)
    >>> def by_hand(parameters, X, y):
    ...     delta = 2 * (X @ parameters["w"] + parameters["b"] - y)
    ...     return {"w": X.T @ delta, "b": np.mean(delta)}
    >>> parameters = {"w": np.array([0.5, -0.5, 1.0]), "b": np.array(0.1)}
    >>> report = compare_gradients(by_hand, loss, parameters, X, y)
    >>> print(report.explanations[0])
    w: yours is 8 times the engine's, and the batch has 8 rows: you summed where the engine averages
    >>> report["b"].relative < 1e-12
    True
    """
    recording: Recording | None
    if _is_function(auto):
        if loss is not None:
            raise TypeError("compare_gradients: pass loss= only with a Module or a dict; a function is the loss itself")
        given = hand(*args) if callable(hand) else hand
        if hasattr(auto, "__derivative__"):
            return of_derivative(given, auto, args)
        values, computed, recording = differentiated(auto, args, argnums)
    else:
        if args:
            raise TypeError(
                "compare_gradients: positional arguments are for a function that returns the loss, but auto is a "
                f"{type(auto).__name__}; leave them out, or pass the function"
            )
        given = hand() if callable(hand) else hand
        values, computed, leaves = after_backward(auto)
        recording = None if loss is None else recording_of(loss, leaves, computed)
    return _compared(given, hand, computed, values, recording, batch_size)


def _compared(
    given: Any,
    hand: Any,
    computed: dict[str, Array],
    parameters: Mapping[str, Array | None],
    recording: Recording | None,
    batch_size: int | None,
) -> GradientComparison:
    """The report on what is given by hand, beside the engine's gradients and the values of the parameters."""
    deltas: dict[str, Array] = {}
    values: dict[str, Array] = {}
    if recording is not None:
        named = recording.intermediates
        deltas = {name: np.asarray(recording.cotangents[node]) for name, node in named.items()}
        values = {name: value for name, value in parameters.items() if value is not None}
        values |= {name: recording.values[node] for name, node in named.items() if node in recording.values}
        if recording.root in recording.values:
            values[LOSS] = recording.values[recording.root]
    by_hand = derivation(given, computed, deltas, values)
    derived = by_hand.gradients
    masks = {
        name: ~np.ma.getmaskarray(array) for name, array in derived.items() if isinstance(array, np.ma.MaskedArray)
    }
    if recording is not None:
        recording.watch([name for name in deltas if name in derived], masks)
    terms = recording.terms() if recording is not None else {}
    rows = [
        ParameterComparison(name, np.ma.getdata(derived[name]), engine, terms.get(name, 0.0), masks.get(name))
        for name, engine in {**computed, **deltas}.items()
        if name in derived
    ]
    forward = rows_of_values(by_hand.values, values, recording)
    ready = [row_of(row, parameters.get(row.name)) for row in rows]
    said, places = explanations(ready, recording, _sizes(recording, batch_size), forward)
    source = Source(hand, {*computed, *deltas})
    agreeing = [row.name for row in ready if row.agrees]
    said, places = with_lines(said, source, agreeing), with_lines(places, source, agreeing)
    not_given = [name for name in computed if name not in derived]
    not_given += [f"{np.sum(~given)} of {given.size} entries of {name}" for name, given in masks.items()]
    return GradientComparison([*rows, *(row for _, row in forward)], said, tuple(not_given), recording, places)


def _is_function(auto: Any) -> bool:
    return callable(auto) and not hasattr(auto, "named_parameters") and not isinstance(auto, Mapping)


# ---- the numbers that averages divide by ----


def _sizes(recording: Recording | None, batch_size: int | None) -> Sizes:
    """The numbers of rows of the batch and of outputs of the network, as the graph shows them."""
    if recording is None:
        return Sizes(batch_size)
    squared = any(calls(node, np.square) or calls(node, np.power) for node in recording.order)
    if not recording.layers:
        return Sizes(batch_size, squared=squared, others=recording.numbers())
    last = recording.layers[-1]
    counted = "columns" if last.axis == 1 else "rows"
    return Sizes(batch_size or last.examples, last.units, counted, squared, recording.numbers())
