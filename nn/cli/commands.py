"""``python -m nn train | predict | evaluate | plot``: the commands of the tool, and their one-line errors."""

from __future__ import annotations

import argparse
import errno
import io
import math
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from ..io.weights import CheckpointError
from ..layers.activations import ACTIVATIONS
from .apply import evaluate, plot, predict
from .tables import TableError
from .train import train


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 2 after an error, 130 after Ctrl-C."""
    _open_standard_streams()
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:
        return _flushed("", int(end.code or 0))
    except OSError as error:  # where help cannot be written
        _discard_output()
        return _complain("", _told(error))
    return _flushed(options.command, _run(options))


def _run(options: argparse.Namespace) -> int:
    command = options.command
    try:
        return options.run(options) or 0
    except (TableError, CheckpointError) as error:
        return _complain(command, str(error))
    except BrokenPipeError as error:
        if error.filename is not None:
            return _complain(command, f"{error.filename}: the reader of the output has ended")
        _discard_output()
        return 1
    except UnicodeEncodeError as error:
        letters = error.object[error.start : error.end]
        return _complain(
            command,
            f"standard output cannot hold {letters!r} in {error.encoding}; set PYTHONIOENCODING=utf-8, or pass --out",
        )
    except OSError as error:
        return _complain(command, _told(error))
    except MemoryError:
        return _complain(command, "there is not enough memory for so large a table or network")
    except KeyboardInterrupt as error:
        return _complain(command, "; ".join(["stopped by Ctrl-C", *map(str, error.args)]), 130)


def _told(error: OSError) -> str:
    named = f"{error.filename}: " if error.filename and str(error.filename) not in str(error.strerror) else ""
    return f"{named}{error.strerror or error}"


def _open_standard_streams() -> None:
    """Put something in the place of closed standard streams, so that no file that is opened gets their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
            if name == "stdout":
                sys.stdout = _Closed()
            else:
                setattr(sys, name, open(number, "w" if name == "stderr" else "r", closefd=False))  # noqa: SIM115


class _Closed(io.StringIO):
    """Standard output that is closed: what is written to it is an error, as of a disk that is full."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "standard output is closed; pass --out, or open it")


def _flushed(command: str, status: int) -> int:
    """The exit status, after everything that was printed has been written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return status or 1
    except OSError as error:
        _discard_output()
        return _complain(command, f"standard output: {_told(error)}")
    return status


def _discard_output() -> None:
    """Drop what waits for standard output; without this, Python would report an error for it at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(command: str, message: str, status: int = 2) -> int:
    with suppress(OSError):
        print(f"{f'nn {command}'.strip()}: {' '.join(message.split())}", file=sys.stderr)
    return status


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def print_help(self, file: Any = None) -> None:
        """Write the help; a failure is an error, which argparse itself would drop."""
        (file or sys.stdout).write(self.format_help())

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())}\n")


def _number(kind: type, lowest: float, above: bool = False, highest: float = math.inf) -> Any:
    def convert(text: str) -> Any:
        try:
            value = kind(text)
            is_finite = math.isfinite(value)
        except (ValueError, OverflowError):
            is_finite = False
        if not (is_finite and (value > lowest if above else value >= lowest) and value < highest):
            what = "an integer" if kind is int else "a number"
            bound = f"{'above' if above else 'of at least'} {lowest:g}"
            if highest <= 1 or (is_finite and value >= highest):
                bound += f" and below {highest:g}"
            raise argparse.ArgumentTypeError(f"expected {what} {bound}, got {text[:40]!r}")
        return value

    return convert


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="nn", description="Train a network on a table, and use it.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="{train,predict,evaluate,plot}")
    count = _number(int, 1, highest=2**31)

    def command(name: str, run: Any) -> Any:
        made = commands.add_parser(name, help=run.__doc__, description=run.__doc__, allow_abbrev=False)
        made.set_defaults(run=run)
        return made

    def reads_table(made: Any) -> None:
        made.add_argument("data", type=Path, help="a table: .csv, .npy or .npz")
        made.add_argument("--header", action="store_true", default=None, help="the first row has the columns' names")
        made.add_argument("--no-header", dest="header", action="store_false", help="the first row has no names")
        made.add_argument(
            "--delimiter",
            type=_delimiter,
            metavar="C",
            help="the character between cells (default: the one in the first row)",
        )

    made = command("train", train)
    reads_table(made)
    add = made.add_argument
    add("--target", required=True, metavar="COLUMN", help="the column to predict: its name, or its number from 1")
    add(
        "--task",
        choices=["auto", "classification", "regression"],
        default="auto",
        help="(default: depends on the target)",
    )
    add("--ignore", nargs="+", default=[], metavar="COLUMN", help="columns to leave out, such as patient numbers")
    add("--categories", nargs="+", default=[], metavar="COLUMN", help="columns whose numbers are categories")
    add("--hidden", type=count, nargs="*", default=[32], metavar="N", help="units of each hidden layer (default: 32)")
    add("--activation", choices=list(ACTIVATIONS)[:8], default="relu", help="(default: %(default)s)")
    add("--epochs", type=count, default=200, metavar="N", help="the largest number of epochs (default: %(default)s)")
    add(
        "--patience",
        type=count,
        default=20,
        metavar="N",
        help="stop after this many epochs without an improvement (%(default)s)",
    )
    add("--batch-size", type=count, default=32, metavar="N", help="(default: %(default)s)")
    add(
        "--lr",
        type=_number(float, 0, above=True),
        default=3e-3,
        metavar="RATE",
        help="(default: %(default)s)",
    )
    add("--weight-decay", type=_number(float, 0), default=1e-3, metavar="L2", help="(default: %(default)s)")
    add(
        "--validation",
        type=_number(float, 0, True, 1),
        default=0.2,
        metavar="SHARE",
        help="the share of rows for validation (%(default)s)",
    )
    add(
        "--seed",
        type=_number(int, 0, highest=2**63),
        default=0,
        metavar="N",
        help="the seed of random numbers (default: %(default)s)",
    )
    add("--quiet", action="store_true", help="show no progress")
    add("--out", type=Path, default=Path("model.safetensors"), metavar="FILE", help="the model (default: %(default)s)")

    for name, run in (("predict", predict), ("evaluate", evaluate)):
        made = command(name, run)
        made.add_argument("model", type=Path, help="a file written by train")
        reads_table(made)
        made.add_argument(
            "--unseen",
            choices=["refuse", "ignore"],
            default="refuse",
            help="what to do with categories that were not in the training data",
        )
        if name == "predict":
            made.add_argument("--probabilities", action="store_true", help="also write the probability of every class")
            made.add_argument("--out", type=Path, metavar="FILE", help="the file to write (default: standard output)")
            made.add_argument(
                "--safe-cells",
                action="store_true",
                help="put an apostrophe before texts that a spreadsheet would take for formulas: =, +, - or @ and more",
            )

    made = command("plot", plot)
    made.add_argument("models", type=Path, nargs="+", help="files written by train")
    made.add_argument(
        "--out", type=Path, default=Path("curves.png"), metavar="FILE", help=".png, .svg or .pdf (%(default)s)"
    )
    return parser


def _delimiter(text: str) -> str:
    text = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n':
        raise argparse.ArgumentTypeError(f"expected one character, or 'tab', got {text!r}")
    return text
