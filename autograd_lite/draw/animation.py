"""`animate_backward`: a backward pass as an animation for slides, or as numbered pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.graph import Node
from ..core.outputs import OutputCotangents
from ..core.stepper import steps
from ..core.tensor import Tensor
from ..files import write_atomically
from .circuit import Circuit, Frame
from .files import rendered
from .graph_info import Contents
from .live import Array
from .picture import check_module, check_recorded
from .styles import PALETTES, Look
from .symbols import sign_of

if TYPE_CHECKING:
    from .digraph import Graph

_ANIMATED = {".gif": "GIF", ".webp": "WEBP"}
_NUMBERED = (".svg", ".png", ".pdf")

_DOTS_PER_INCH = 144


def animate_backward(
    output: Tensor,
    path: str | os.PathLike[str],
    names: Mapping[Any, Any] | None = None,
    *,
    grad: Any = None,
    module: Any = None,
    seconds: float = 1.5,
    fontsize: float = 13.0,
    palette: str = "colorblind",
) -> list[Path]:
    """Write the backward pass of a result, drawn as a circuit, as an animation, or as numbered pictures.

    The first frame has the values alone, the second the output's gradient, and each further one an operation, which is
    emphasised, with the gradients that it hands to its inputs. Where several contributions meet, the sum so far is
    shown. All frames have the same layout.

    Parameters
    ----------
    output : Tensor
        A result, usually the loss, before ``backward()``, or after ``backward(retain_graph=True)``, so that it still
        has its graph. No gradient is changed.
    path : path
        The animation's path, which ends in ``.gif`` or ``.webp``; or a path in ``.svg``, ``.png`` or ``.pdf``, to whose
        name the frames' numbers are added: ``step.svg`` makes ``step-00.svg``, ``step-01.svg`` and so on, which
        presentation programs take as pictures one after the other.
    names, module
        As in `draw_graph`.
    grad : array_like, optional
        The cotangent of the output, as in ``backward(grad)``; not needed for an output with a single element.
    seconds : float, default 1.5
        How long an animation shows a frame; the last one is shown for three times as long.
    fontsize, palette
        As in `draw_graph`.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    TypeError
        If the output is not a tensor, or requires no gradient, and so has no graph; if `module` is not a module.
    ValueError
        If the path has another ending, or `palette` is unknown; if the output has several elements and `grad` is
        missing, or has another shape.
    FreedGraphError, ChangedTensorError
        As in ``backward()``.
    GraphvizNotFoundError
        If Graphviz's ``dot`` is not installed; nothing is written then.
    ImportError
        If an animation is wanted and Pillow is not installed.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> x, y = Tensor(-2.0, requires_grad=True, name="x"), Tensor(5.0, requires_grad=True, name="y")
    >>> [path.name for path in animate_backward(x * y, "product.svg")]
    ['product-0.svg', 'product-1.svg', 'product-2.svg']
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (*_ANIMATED, *_NUMBERED):
        known = ", ".join((*_ANIMATED, *_NUMBERED))
        raise ValueError(f"animate_backward: {path} ends in {suffix or 'nothing'!r}; expected {known}")
    if palette not in PALETTES:
        raise ValueError(
            f"animate_backward: palette={palette!r} is unknown; expected {' or '.join(map(repr, PALETTES))}"
        )
    check_recorded("animate_backward", output)
    check_module("animate_backward", module, None)
    if suffix in _ANIMATED:
        _pillow()
    frames = _frames(output, names, module, grad, Look("LR", fontsize, PALETTES[palette]))
    if suffix in _NUMBERED:
        digits = len(str(len(frames) - 1))
        paths = [path.with_name(f"{path.stem}-{i:0{digits}}{path.suffix}") for i in range(len(frames))]
        for one, picture in zip(paths, [rendered(frame, suffix[1:]) for frame in frames], strict=True):
            write_atomically(one, picture)
        return paths
    write_atomically(path, _animated(frames, _ANIMATED[suffix], round(1000 * seconds)))
    return [path]


def _frames(output: Tensor, names: Mapping[Any, Any] | None, module: Any, grad: Any, look: Look) -> list[Graph]:
    """A picture for each moment of the pass."""
    from .digraph import blank

    assert output.node is not None
    contents = Contents(output, names, module, complete=True)
    with np.errstate(all="ignore"):  # the pictures show infinite numbers and NaN
        played = [step for step in steps(output.node, output._seed(grad).data, hooks=True) if step.node.recipe]
    circuit = Circuit(contents, {}, look)
    known: dict[Node, Array] = {}
    moments: list[tuple[str, Frame]] = [("the values, before the backward pass", Frame({}))]
    if isinstance(seed := played[0].cotangent if played else None, np.ndarray | np.generic):
        known[output.node] = np.asarray(seed)
    moments.append(("the backward pass starts at the output", Frame(dict(known), None, frozenset(known))))
    for number, step in enumerate(played, 1):
        fresh = {c.parent: c.total for c in step.contributions if not isinstance(c.total, OutputCotangents)}
        known |= {node: np.asarray(total) for node, total in fresh.items()}
        constants = {c.argument: c.array for c in contents.constants.get(step.node, ())}
        sign, _ = sign_of(step.node, constants)
        moments.append((f"step {number} of {len(played)}: {sign}", Frame(dict(known), step.node, frozenset(fresh))))
    rooms: dict[Node, tuple[int, int]] = {}
    for _, frame in moments:
        for node, gradient in frame.gradients.items():
            lines = circuit.lines_of_gradient(gradient)
            letters, rows = rooms.get(node, (0, 0))
            rooms[node] = max(letters, *map(len, lines)), max(rows, len(lines))
    graphs = []
    for note, frame in moments:
        graph = blank(note, look)
        graph.attr(dpi=str(_DOTS_PER_INCH))
        circuit.draw(graph, Frame(frame.gradients, frame.lit, frame.fresh, rooms))
        graphs.append(graph)
    return graphs


def _animated(frames: list[Graph], file_format: str, milliseconds: int) -> bytes:
    """The frames as one animated picture, each in the middle of the same white ground."""
    image = _pillow()
    pictures = [image.open(BytesIO(rendered(frame, "png"))).convert("RGB") for frame in frames]
    width, height = (max(sides) for sides in zip(*(picture.size for picture in pictures), strict=True))
    grounds = []
    for picture in pictures:
        ground = image.new("RGB", (width, height), "white")
        ground.paste(picture, ((width - picture.width) // 2, 0))
        grounds.append(ground)
    written = BytesIO()
    durations = [milliseconds] * (len(grounds) - 1) + [3 * milliseconds]
    options = {"lossless": True} if file_format == "WEBP" else {"optimize": True}
    grounds[0].save(
        written, file_format, save_all=True, append_images=grounds[1:], duration=durations, loop=0, **options
    )
    return written.getvalue()


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            "animate_backward: GIF and WebP need Pillow: pip install pillow; a path that ends in .svg writes numbered "
            "pictures without it"
        ) from None
    return Image
