"""Shows the progress of training: as a bar in terminals and notebooks, as a line for each epoch in logs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

Style = Literal["auto", "bar", "lines"]


class Progress:
    """Shows the progress of steps and epochs.

    Parameters
    ----------
    style : {"auto", "bar", "lines"} or bool
        "bar": one line that is updated; "lines": a line at the end of each epoch; "auto", or True: a bar in a terminal
        or notebook, and lines elsewhere, such as in a file or under a scheduler. False shows nothing.
    epochs : int
        The number of epochs.
    steps : int
        The number of steps of an epoch.
    done : int, default 0
        The number of steps that were taken before.
    file : text file, optional
        The file to write to; standard error by default.
    """

    def __init__(self, style: Style | bool, epochs: int, steps: int, done: int = 0, file: TextIO | None = None) -> None:
        if style not in (True, False, "auto", "bar", "lines"):
            raise ValueError(f"progress={style!r} is unknown; expected True, False, 'bar' or 'lines'")
        self.file = sys.stderr if file is None else file
        self.epochs = epochs
        self.bar: Any = None
        if style in (True, "auto"):
            style = "bar" if _in_notebook() or self.file.isatty() else "lines"
        self.lines = style == "lines"
        if style == "bar":
            self.bar = _tqdm()(
                total=epochs * steps, initial=done, unit="step", desc="training", file=self.file, dynamic_ncols=True
            )

    def step(self) -> None:
        """Show a step."""
        if self.bar is not None:
            self.bar.update()

    def epoch(self, figures: Mapping[str, float]) -> None:
        """Show an epoch and its figures."""
        if self.bar is None and not self.lines:
            return
        shown = {name: f"{value:.4g}" for name, value in figures.items() if name not in ("epoch", "gradient_norm")}
        if self.bar is not None:
            self.bar.set_postfix(shown)
        else:
            told = "  ".join(f"{name} {value}" for name, value in shown.items())
            print(f"epoch {figures['epoch']:.0f}/{self.epochs}  {told}", file=self.file, flush=True)

    def say(self, message: str) -> None:
        """Write a line, above the bar if there is one."""
        if self.bar is not None:
            self.bar.write(message, file=self.file)
        elif self.lines:
            print(message, file=self.file, flush=True)

    def close(self) -> None:
        """Close the bar in its current state."""
        if self.bar is not None:
            self.bar.close()


def _in_notebook() -> bool:
    """Whether the program runs in the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


def _tqdm() -> Any:
    """The bar for notebooks if its widgets are installed, else the bar of characters."""
    if _in_notebook():
        try:
            import ipywidgets  # noqa: F401
            from tqdm.notebook import tqdm as notebook_bar
        except ImportError:
            pass
        else:
            return notebook_bar
    from tqdm import tqdm

    return tqdm
