"""Pictures of the recorded graph, laid out by Graphviz, and pages and animations of a backward pass, step by step.

`draw_graph`: a graph, a circuit, or a network of neurons. `backprop_page`: a page to step through. `animate_backward`:
an animation. `save_graph` writes pictures; without Graphviz it raises a `GraphvizNotFoundError`.
"""

from ..on_demand import public_names as _public_names
from .animation import animate_backward as animate_backward
from .files import GraphvizNotFoundError as GraphvizNotFoundError
from .files import save_graph as save_graph
from .page.backprop_page import backprop_page as backprop_page
from .picture import draw_graph as draw_graph

__all__ = _public_names(__name__)
