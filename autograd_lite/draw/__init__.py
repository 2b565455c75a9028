"""Pictures of the recorded graph, laid out by Graphviz."""

from .files import GraphvizNotFoundError as GraphvizNotFoundError
from .files import save_graph as save_graph
from .picture import draw_graph as draw_graph
