"""`GradientMonitor`: measures the gradients and updates of each layer during training, and warns of problems."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_lite import Tensor

from ..arguments import positive_int, real_number
from ..module import Module
from ..optimizers.clipping import norm_of
from .history import table
from .training import Callback, Training, TrainingWarning

Array = np.ndarray[Any, Any]


class GradientMonitor(Callback):
    """Measures every layer's gradient, update and dead units, and warns of problems with the layers' names.

    A layer is a module with its own parameters. The monitor measures the norm of its gradient; the size of an update
    relative to the weights, ``|change| / |w|``, which is about 1e-3 in a network that learns well; and the share of
    dead units. A unit is dead if its weights got a gradient of exactly zero in all measured steps of an epoch, as for a
    ReLU whose input is negative for all data.

    Parameters
    ----------
    every : int, default 10
        The number of steps from one measurement to the next.
    vanishing : float, default 1e-4
        A layer's gradient vanishes if its root mean square is below this share of the largest among the layers.
    exploding : float, default 1e3
        A gradient explodes if its norm is above this, or not finite.
    dead : float, default 0.5
        A layer is dead if more than this share of its units are dead.

    Attributes
    ----------
    measured : dict
        From the layer's path to a dict of lists: ``step``, ``gradient_norm``, ``update_ratio``.
    dead_units : dict
        From the layer's path to the share of dead units after each epoch.
    warned : list of str
        The warnings so far.

    Warns
    -----
    TrainingWarning
        Once for each layer and problem, after the epoch.

    Examples
    --------
    >>> monitor = GradientMonitor(every=5)
    >>> monitor
    GradientMonitor(every=5)
    """

    def __init__(self, every: int = 10, vanishing: float = 1e-4, exploding: float = 1e3, dead: float = 0.5) -> None:
        self.every = positive_int(every, "GradientMonitor: every")
        self.vanishing = real_number(vanishing, "GradientMonitor: vanishing")
        self.exploding = real_number(exploding, "GradientMonitor: exploding")
        self.dead = real_number(dead, "GradientMonitor: dead")
        self._forget()

    def _forget(self) -> None:
        self.measured: dict[str, dict[str, list[float]]] = {}
        self.dead_units: dict[str, list[float]] = {}
        self.warned: list[str] = []
        self._known: set[tuple[str, str]] = set()
        self._silent: dict[str, Array] = {}
        self._before: dict[str, list[Array]] | None = None
        self._sizes: dict[str, list[float]] = {}

    def on_train_begin(self, training: Training) -> None:
        """Find the layers."""
        if not training.resumed:
            self._forget()
        self.layers = layers_of(training.model)
        for name in self.layers:
            self.measured.setdefault(name, {"step": [], "gradient_norm": [], "update_ratio": []})

    def on_gradient(self, training: Training) -> None:
        """Measure the gradients, if it is time."""
        if training.step % self.every:
            return
        self._before = {name: [p.data.copy() for p in layer] for name, layer in self.layers.items()}
        for name, layer in self.layers.items():
            gradients = [np.zeros(p.shape, p.dtype) if p.grad is None else p.grad.data for p in layer]
            norm = norm_of(gradients)
            self.measured[name]["step"].append(training.step + 1)
            self.measured[name]["gradient_norm"].append(norm)
            self._sizes.setdefault(name, []).append(norm / math.sqrt(sum(g.size for g in gradients)))
            silent = [np.all(g == 0, axis=tuple(range(g.ndim - 1))) for g in gradients if g.ndim >= 2]
            if silent:
                units = np.concatenate(silent)
                self._silent[name] = self._silent[name] & units if name in self._silent else units

    def on_step_end(self, training: Training) -> None:
        """Measure the updates, if the gradients of this step were measured."""
        if self._before is None:
            return
        for name, layer in self.layers.items():
            before = self._before[name]
            change = norm_of([p.data - old for p, old in zip(layer, before, strict=True)])
            size = norm_of(before)
            self.measured[name]["update_ratio"].append(change / size if size else math.inf if change else 0.0)
        self._before = None

    def on_epoch_end(self, training: Training) -> None:
        """Check the measurements of the epoch, and warn."""
        for name, units in self._silent.items():
            self.dead_units.setdefault(name, []).append(float(np.mean(units)))
        self._tell(self._ill())
        self._silent, self._sizes = {}, {}

    def _ill(self) -> dict[str, dict[str, str]]:
        """For each problem, the layers that have it, with the figure that shows it."""
        found: dict[str, dict[str, str]] = {illness: {} for illness in _REMEDIES}
        sizes = {name: float(np.mean(values)) for name, values in self._sizes.items() if values}
        for name in list(sizes):
            norm = max(self.measured[name]["gradient_norm"][-len(self._sizes[name]) :])
            share = self.dead_units.get(name, [0.0])[-1]
            if not math.isfinite(norm) or norm > self.exploding:
                found["explodes"][name] = f"norm {norm:.3g}"
                del sizes[name]
            elif share > self.dead:
                found["is dead"][name] = f"{share:.0%} of its units"
                del sizes[name]
        largest = max(sizes.values(), default=0.0)
        for name, size in sizes.items():
            if size < self.vanishing * largest:
                found["vanishes"][name] = f"root mean square {size:.1e}, and the largest {largest:.1e}"
        return found

    def _tell(self, found: dict[str, dict[str, str]]) -> None:
        for illness, layers in found.items():
            new = {name: figure for name, figure in layers.items() if (name, illness) not in self._known}
            if not new:
                continue
            self._known.update((name, illness) for name in new)
            what, remedy = _REMEDIES[illness]
            told = ", ".join(f"{name} ({figure})" for name, figure in new.items())
            self.warned.append(f"{what}: {told}. {remedy}")
            warnings.warn(self.warned[-1], TrainingWarning, stacklevel=2)

    def state_dict(self) -> dict[str, Any]:
        """All measurements, and those of the current epoch."""
        known = [f"{illness}: {layer}" for layer, illness in sorted(self._known)]
        state: dict[str, Any] = {"warned": list(self.warned), "known": known, "layers": list(self.measured)}
        for name, columns in self.measured.items():
            for column, values in columns.items():
                state[f"{name}:{column}"] = np.array(values, np.float64)
            state[f"{name}:dead"] = np.array(self.dead_units.get(name, []), np.float64)
            state[f"{name}:sizes"] = np.array(self._sizes.get(name, []), np.float64)
            state[f"{name}:silent"] = self._silent.get(name, np.zeros(0, bool))
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state."""
        self._forget()
        self.warned = list(state["warned"])
        self._known = {(layer, illness) for illness, _, layer in (known.rpartition(": ") for known in state["known"])}
        for name in state["layers"]:
            self.measured[name] = {
                column: np.asarray(state[f"{name}:{column}"]).tolist()
                for column in ("step", "gradient_norm", "update_ratio")
            }
            self.measured[name]["step"] = list(map(int, self.measured[name]["step"]))
            if len(dead := np.asarray(state[f"{name}:dead"])):
                self.dead_units[name] = dead.tolist()
            if len(sizes := np.asarray(state[f"{name}:sizes"])):
                self._sizes[name] = sizes.tolist()
            if len(silent := np.asarray(state[f"{name}:silent"])):
                self._silent[name] = silent.astype(bool)

    def __str__(self) -> str:
        """The layers with their last figures, from the first layer to the last."""
        rows: dict[str, list[float]] = {"gradient_norm": [], "update_ratio": [], "dead units": []}
        names = [name for name, columns in self.measured.items() if columns["update_ratio"]]
        for name in names:
            rows["gradient_norm"].append(self.measured[name]["gradient_norm"][-1])
            rows["update_ratio"].append(self.measured[name]["update_ratio"][-1])
            rows["dead units"].append(self.dead_units.get(name, [0.0])[-1])
        width = max([len("layer"), *map(len, names)])
        lines = table(rows).splitlines()
        return "\n".join(f"{label:<{width}}  {line}" for label, line in zip(["layer", *names], lines, strict=True))

    def __repr__(self) -> str:
        return f"GradientMonitor(every={self.every})"


_REMEDIES = {
    "explodes": ("the gradient explodes", "Clip gradients (nn.ClipGradientNorm), or lower the learning rate"),
    "is dead": (
        "units are dead, whose weights got a gradient of exactly 0 in all steps of an epoch",
        "A leaky ReLU, a smaller learning rate or another initialiser (he_uniform) repairs it",
    ),
    "vanishes": ("the gradient vanishes", "ReLUs, normalisation or skip connections let it through"),
}
"""For each problem, its description, and a remedy."""


def layers_of(model: Module) -> dict[str, list[Tensor]]:
    """The modules with their own parameters, by path, and these parameters; the model itself is "model"."""
    layers: dict[str, list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        layers.setdefault(name.rpartition(".")[0] or "model", []).append(parameter)
    return layers
