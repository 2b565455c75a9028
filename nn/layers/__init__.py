"""Layers: modules with parameters, and the functions between them."""

from autograd_lite.extend import on_demand as _on_demand

from ..habits import WITHIN as _WITHIN

__getattr__, __dir__ = _on_demand(__name__, {}, answers=_WITHIN)
