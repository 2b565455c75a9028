"""Pictures of the recorded graph, laid out by Graphviz, and pages and animations of a backward pass, step by step."""

from .animation import animate_backward as animate_backward
from .files import GraphvizNotFoundError as GraphvizNotFoundError
from .files import save_graph as save_graph
from .page.backprop_page import backprop_page as backprop_page
from .picture import draw_graph as draw_graph
