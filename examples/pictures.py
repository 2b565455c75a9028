"""Pictures for slides and handouts: circuits, networks of neurons, and a backward pass as an animation.

    python examples/pictures.py                    # into runs/pictures
    python examples/pictures.py --print            # black on white
    python examples/pictures.py --font-size 18     # for the last row of a lecture hall

The circuits are those that backpropagation is usually explained with: ``f = (x + y) z``; a neuron with two inputs,
``1 / (1 + exp(-(w0 x0 + w1 x1 + w2)))``, with a value over each wire and a gradient under it; and a number that is used
twice, in which gradients add up. The network has three inputs, four hidden units and two outputs, as columns of neurons
with the activation and the delta in each; once its connections are as thick as the weights, and once as the gradients
of the weights. The animation goes through the neuron's backward pass step by step; its frames are also written as
numbered pictures, one for a slide.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from command_line import Parser, add_out, make_folder, number, save_page, save_picture

import nn
from autograd_lite import Tensor
from autograd_lite.draw import GraphvizNotFoundError, animate_backward, draw_graph


def leaf(value: Any) -> Tensor:
    """A tensor that gets a gradient."""
    return Tensor(value, requires_grad=True)


def sum_and_product(look: dict[str, Any]) -> Any:
    """The circuit of ``f = (x + y) z``."""
    x, y, z = leaf(-2.0), leaf(5.0), leaf(-4.0)
    f = (x + y) * z
    f.backward()
    return draw_graph(f, names=locals(), style="circuit", **look)


def neuron() -> tuple[Tensor, dict[str, Tensor]]:
    """A sigmoid neuron with two inputs, and its inputs and weights by name."""
    numbers = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
    named = {name: leaf(value) for name, value in numbers.items()}
    f = 1 / (1 + np.exp(-(named["w0"] * named["x0"] + named["w1"] * named["x1"] + named["w2"])))
    return f, {**named, "f": f}


def used_twice(look: dict[str, Any]) -> Any:
    """A number that two operations use: what comes back from both is added up."""
    x, y = leaf(3.0), leaf(-1.0)
    q = x * y
    f = np.maximum(q, x) + x
    f.backward(retain_graph=True)
    return draw_graph(f, names=locals(), style="circuit", **look)


def network(rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
    """The cost of a network with four hidden sigmoid units on one example, and its weights and biases by name."""
    x, target = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0])
    W1, b1 = leaf(rng.normal(size=(3, 4))), leaf(rng.normal(size=4))
    W2, b2 = leaf(rng.normal(size=(4, 2))), leaf(rng.normal(size=2))
    h = nn.sigmoid(x @ W1 + b1)
    y = nn.sigmoid(h @ W2 + b2)
    C = 0.5 * np.sum((y - target) ** 2)
    return C, {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "C": C}


def animations(f: Tensor, named: dict[str, Tensor], folder: Path, look: dict[str, Any]) -> list[str]:
    """The backward pass of a circuit as an animation, and as numbered pictures; the names of what was written."""
    try:
        steps = animate_backward(f, folder / "neuron_step.svg", names=named, **look)
        (animation,) = animate_backward(f, folder / "neuron.gif", names=named, **look)
    except GraphvizNotFoundError:
        return []
    return [f"{steps[0].name} to {steps[-1].name}", animation.name]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options, from the command line by default."""
    parser = Parser("pictures.py", __doc__)
    add = parser.add_argument
    add("--print", action="store_true", dest="in_print", help="black on white (default: in colours)")
    add("--font-size", type=number(float, 4), default=13.0, metavar="POINTS", help="(default: %(default)s)")
    add_out(parser, "pictures")
    options = parser.parse_args(arguments)
    make_folder(parser, options.out)
    return options


def main(arguments: list[str] | None = None) -> int:
    """Draw everything, say what was written, and return the exit status."""
    options = parse(arguments)
    look = {"palette": "print" if options.in_print else "colorblind", "fontsize": options.font_size}
    f, of_neuron = neuron()
    f.backward(retain_graph=True)
    C, of_network = network(np.random.default_rng(options.seed))
    C.backward(retain_graph=True)
    pictures = {
        "sum_and_product": sum_and_product(look),
        "used_twice": used_twice(look),
        "neuron": draw_graph(f, names=of_neuron, style="circuit", **look),
        "network_weights": draw_graph(C, names=of_network, style="network", **look),
        "network_gradients": draw_graph(C, names=of_network, style="network", heat="grad", **look),
        "network_circuit": draw_graph(C, names=of_network, style="circuit", **look),
        "network_graph": draw_graph(C, names=of_network, values=True, heat="grad", rankdir="LR", **look),
    }
    written = [save_picture(picture, options.out, name) for name, picture in pictures.items()]
    written += animations(f, of_neuron, options.out, look)
    written += save_page(f, options.out, "neuron", names=of_neuron)
    print(f"the gradients of the neuron: {', '.join(gradients(of_neuron))}")
    print(f"\nwritten to {options.out}: {', '.join(written)}")
    return 0


def gradients(named: dict[str, Tensor]) -> list[str]:
    """The gradients of all leaves, by name."""
    return [
        f"{name} {tensor.grad.item():.4f}" for name, tensor in named.items() if name != "f" and tensor.grad is not None
    ]


if __name__ == "__main__":
    sys.exit(main())
