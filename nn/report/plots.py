"""Plots of the histories of trainings, with Matplotlib."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from autograd_lite.extend import new_figure, write_atomically

# The colours are from Okabe and Ito's palette, which colour-blind readers can distinguish; validation is dashed, to be
# distinguished in a grey print as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


class Figures(Protocol):
    """The numbers of a training by step and by epoch, such as an `nn.History`."""

    @property
    def steps(self) -> Mapping[str, list[float]]:
        """The columns by step."""

    @property
    def epochs(self) -> Mapping[str, list[float]]:
        """The columns by epoch."""

    def __len__(self) -> int: ...

    def __getitem__(self, name: str, /) -> list[float]: ...


_OTHER = frozenset({"epoch", "examples", "seconds", "lr", "gradient_norm"})


def plot_history(history: Figures, path: str | os.PathLike[str] | None) -> Any:
    """Plot the loss, the metrics if there are some, and the sizes of gradients and learning rate, side by side."""
    epochs, steps = history.epochs, history.steps
    if not steps.get("loss") and not len(history):
        raise ValueError("History.plot: there is nothing to plot, because no step was taken")
    names = [name for name in epochs if name not in _OTHER and not name.startswith("val_") and name != "loss"]
    names += [name[4:] for name in epochs if name.startswith("val_") and name[4:] not in ("loss", *names)]
    panels = 2 + bool(names)
    figure = new_figure("History.plot", figsize=(4.2 * panels, 3.6), layout="constrained")
    axes = figure.subplots(1, panels)
    _losses(axes[0], history)
    if names:
        _metrics(axes[1], history, names)
    _sizes(axes[-1], history)
    for each in axes:
        each.grid(alpha=0.3)
        each.spines[["top", "right"]].set_visible(False)
        each.set_xlabel("epoch")
    if path is not None:
        save_figure(figure, path)
    return figure


def plot_curves(histories: Mapping[str, Figures], path: str | os.PathLike[str]) -> Any:
    """Plot the losses of several histories in one panel, and each metric that all of them have in another."""
    shared = set.intersection(*({*history.epochs} for history in histories.values())) - _OTHER
    metrics = sorted(name for name in shared if not name.startswith("val_") and name != "loss")
    figure = new_figure("plot", figsize=(5 * (1 + len(metrics)), 3.8), layout="constrained")
    panels = figure.subplots(1, 1 + len(metrics), squeeze=False)[0]
    for axes, name in zip(panels, ["loss", *metrics], strict=True):
        for i, (label, history) in enumerate(histories.items()):
            colour = COLOURS[i % len(COLOURS)]
            axes.plot(history["epoch"], history[name], "-", color=colour, linewidth=1, alpha=0.6)
            if f"val_{name}" in history.epochs:
                axes.plot(history["epoch"], history[f"val_{name}"], "--", color=colour, label=label)
        axes.set(title=f"{name}: training solid, validation dashed", xlabel="epoch")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    panels[0].set_yscale("log")
    save_figure(figure, path)
    return figure


def save_figure(figure: Any, path: str | os.PathLike[str]) -> None:
    """Save a figure in the format of the path's ending, completely or not at all."""
    import io

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"{path} ends in {suffix or 'nothing'!r}; expected .png, .svg or .pdf")
    data = io.BytesIO()
    figure.savefig(data, format=suffix[1:], dpi=150)
    write_atomically(path, data.getvalue())


def _losses(axes: Any, history: Figures) -> None:
    places, losses = _places(history), history.steps.get("loss", [])
    if losses:
        axes.plot(places, losses, color=COLOURS[0], alpha=0.25, linewidth=0.8, label="each step")
    if len(history):
        axes.plot(history["epoch"], history["loss"], "o-", color=COLOURS[0], markersize=3, label="training")
    if "val_loss" in history.epochs:
        axes.plot(history["epoch"], history["val_loss"], "s--", color=COLOURS[1], markersize=3, label="validation")
    shown = [value for value in [*losses, *history.epochs.get("val_loss", [])] if value == value]
    axes.set(title="Loss", yscale="log" if shown and min(shown) > 0 else "linear")
    axes.legend(frameon=False)


def _metrics(axes: Any, history: Figures, names: Sequence[str]) -> None:
    for i, name in enumerate(names):
        colour = COLOURS[i % len(COLOURS)]
        if name in history.epochs:
            axes.plot(history["epoch"], history[name], "o-", color=colour, markersize=3, label=name)
        if f"val_{name}" in history.epochs:
            axes.plot(
                history["epoch"], history[f"val_{name}"], "s--", color=colour, markersize=3, label=f"{name}, validation"
            )
    axes.set(title="Metrics")
    axes.legend(frameon=False)


def _sizes(axes: Any, history: Figures) -> None:
    places = _places(history)
    for i, (name, label) in enumerate((("gradient_norm", "gradient norm"), ("lr", "learning rate"))):
        sizes = history.steps.get(name, [])
        if any(size > 0 for size in sizes):
            axes.plot(places, sizes, color=COLOURS[2 + i], linewidth=0.8 + i, label=label)
    axes.set(title="Gradient and learning rate")
    if axes.lines:
        axes.set_yscale("log")
        axes.legend(frameon=False)


def _places(history: Figures) -> list[float]:
    """The position of each step on the axis of epochs."""
    numbers = history.steps.get("epoch", [])
    counts: dict[float, int] = {}
    for number in numbers:
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=1)
    seen: dict[float, int] = {}
    places = []
    for number in numbers:
        seen[number] = seen.get(number, 0) + 1
        places.append(number - 1 + seen[number] / most)
    return places
