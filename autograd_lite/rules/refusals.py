"""What functions that are written in terms of others refuse."""

from __future__ import annotations

from typing import Any


def refuse_out(out: Any, name: str) -> None:
    """Refuse an array to write into."""
    if out is not None:
        raise TypeError(f"np.{name}: out= cannot be used with tensors; use the result that is returned")
