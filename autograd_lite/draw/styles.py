"""How the nodes of a picture look: shapes and colours, and the scale of colours for gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# The colours are from Okabe and Ito's palette, which colour-blind readers can distinguish, in tints for black text.
# Shapes differ as well, so that a grey print shows the same: parameters have a bold frame, the output a double one,
# intermediate results a dashed one; inputs have a folded corner, and a bold frame if they have a gradient.
LEAF = {"shape": "box", "style": "filled", "fillcolor": "#D6EAF8", "color": "#0072B2", "penwidth": "2"}
INPUT = {**LEAF, "shape": "note"}
OUTPUT = {"shape": "box", "style": "filled", "fillcolor": "#FCE3D2", "color": "#D55E00", "peripheries": "2"}
RESULT = {"shape": "box", "style": "filled,dashed", "fillcolor": "#FFF6DB", "color": "#B07800"}
CONSTANT = {"shape": "note", "style": "filled", "fillcolor": "#EFEFEF", "color": "#777777"}
CALL = {"shape": "ellipse", "style": "filled", "fillcolor": "#F2F2F2", "color": "#555555", "margin": "0.06,0.02"}
LONG_CALL = {"shape": "box", "style": "filled,rounded", "fillcolor": "#F2F2F2", "color": "#555555"}
SUM = {
    "shape": "circle", "style": "filled", "fillcolor": "#333333", "fontcolor": "white", "label": "+",
    "width": "0.24", "fixedsize": "true", "margin": "0", "fontsize": "13",
}  # fmt: skip
MODULE = {"shape": "folder", "style": "filled", "fillcolor": "#E3EFE6", "color": "#007A56"}
CLUSTER = {"style": "rounded", "color": "#8FA99B", "fontcolor": "#2F5D4A"}
WRONG = {"fillcolor": "#FBD5D5", "color": "#B00020", "penwidth": "3"}
WRONG_EDGE = {"color": "#B00020", "penwidth": "3"}
READ = {"style": "dotted", "arrowhead": "none"}
FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"


@dataclass(frozen=True)
class Palette:
    """The colours of a picture.

    Attributes
    ----------
    text, line : str
        Of names, and of wires and edges.
    value, gradient, fresh : str
        Of the numbers over wires and under them, and of gradients that have just been computed.
    positive, negative : str
        Of the edges of a network, by the sign of their numbers.
    operation, lit : dict
        Of circles, and of the one that is emphasised.
    is_print : bool
        Whether everything is black on white; then gradients are bold, so that they differ from values.
    """

    text: str
    line: str
    value: str
    gradient: str
    fresh: str
    positive: str
    negative: str
    operation: Mapping[str, str]
    lit: Mapping[str, str]
    is_print: bool = False

    def of(self, look: Mapping[str, str]) -> dict[str, str]:
        """A look of this module in these colours."""
        if not self.is_print:
            return dict(look)
        plain = {"fillcolor": "white", "color": "black", "fontcolor": "black"}
        return {**look, **{key: colour for key, colour in plain.items() if key in look}}

    def of_heat(self, look: Mapping[str, str]) -> dict[str, str]:
        """A look of a `HeatScale`; in print its colours are greys, equally light."""
        colour = look["fillcolor"]
        if not self.is_print or not colour.startswith("#"):
            return dict(look)
        light = _luminance(colour)
        grey = round(255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))
        return {**look, "fillcolor": f"#{grey:02X}{grey:02X}{grey:02X}"}


PALETTES = {
    "colorblind": Palette(
        text="#222222", line="#444444", value="#005A8C", gradient="#B04300", fresh="#8F3600",
        positive="#0072B2", negative="#D55E00",
        operation={"fillcolor": "#F2F2F2", "color": "#555555", "fontcolor": "#222222"},
        lit={"fillcolor": "#FFD966", "color": "#8F3600", "fontcolor": "#222222", "penwidth": "2.5"},
    ),
    "print": Palette(
        text="black", line="black", value="black", gradient="black", fresh="black",
        positive="black", negative="black",
        operation={"fillcolor": "white", "color": "black", "fontcolor": "black"},
        lit={"fillcolor": "white", "color": "black", "fontcolor": "black", "penwidth": "3.5"},
        is_print=True,
    ),
}  # fmt: skip
"""Okabe and Ito's colours, as dark as text has to be on white; and black on white."""


@dataclass(frozen=True)
class Look:
    """How a whole picture looks.

    Attributes
    ----------
    rankdir : str
        The direction of the layout, as Graphviz writes it.
    fontsize : float
        In points.
    palette : Palette
        The colours.
    """

    rankdir: str = "TB"
    fontsize: float = 11.0
    palette: Palette = PALETTES["colorblind"]


USUAL = Look()
"""From top to bottom, in colours."""


_SCALE = ("#FFF7DE", "#FBDD9C", "#F3B45F", "#DE8242", "#B9523A", "#86313B", "#4A1D36")
"""The colours from small gradients to large ones; they get darker evenly, so that the scale works in grey as well."""

EXACTLY_ZERO = {"fillcolor": "white", "fontcolor": "#333333", "style": "filled,dotted"}
NOT_A_NUMBER = {"fillcolor": "black", "fontcolor": "#FFD43B"}

_MOST_DECADES = 7
"""The largest number of colours in a legend."""


class HeatScale:
    """A logarithmic scale of colours over the sizes of some gradients.

    Parameters
    ----------
    sizes : iterable of float
        The sizes; the scale covers those that are finite and above 0.
    """

    def __init__(self, sizes: Iterable[float]) -> None:
        exponents = [math.log10(size) for size in sizes if 0 < size < math.inf]
        self.low = math.floor(min(exponents, default=0.0))
        self.high = max(math.ceil(max(exponents, default=0.0)), self.low + 1)

    def look(self, size: float) -> dict[str, str]:
        """The colours of a node whose gradient has this root mean square."""
        if math.isnan(size):
            return NOT_A_NUMBER
        if size == 0:
            return EXACTLY_ZERO
        place = 1.0 if math.isinf(size) else (math.log10(size) - self.low) / (self.high - self.low)
        colour = _between(place)
        return {"fillcolor": colour, "fontcolor": "black" if _luminance(colour) > _MIDDLE else "white"}

    def legend(self) -> list[tuple[str, dict[str, str]]]:
        """The scale's powers of ten, or some of them if there are many, with their looks; the smallest first."""
        stride = -(-(self.high - self.low) // (_MOST_DECADES - 1))
        exponents = [*range(self.low, self.high, stride), self.high]
        return [(f"1e{exponent}", self.look(10.0**exponent)) for exponent in exponents]


def _between(place: float) -> str:
    """The scale's colour at a position from 0 to 1."""
    place = min(max(place, 0.0), 1.0) * (len(_SCALE) - 1)
    i = min(int(place), len(_SCALE) - 2)
    low, high = (tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5)) for colour in _SCALE[i : i + 2])
    mixed = (round(a + (b - a) * (place - i)) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{channel:02X}" for channel in mixed)


_MIDDLE = math.sqrt(1.05 * 0.05) - 0.05
"""The luminance at which black and white text have the same contrast, 4.58, by the formula of WCAG 2."""


def _luminance(colour: str) -> float:
    """The relative luminance of an sRGB colour (WCAG 2)."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
