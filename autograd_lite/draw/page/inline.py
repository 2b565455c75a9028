"""A page that is shown within a notebook, in a frame of its own."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

from ...files import write_atomically

_HEIGHT = 760
"""Of the frame, in pixels."""


class Page:
    """A page of HTML, which notebooks show and which can be saved.

    In a notebook it stands in a frame without access to the notebook: its script runs, and nothing else of it does.

    Parameters
    ----------
    html : str
        The whole page, which loads nothing from elsewhere.
    name : str
        What it is about.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> from autograd_lite.draw import backprop_page
    >>> page = backprop_page(Tensor(3.0, requires_grad=True, name="w") * 2)
    >>> page.save("product.html").name
    'product.html'
    """

    def __init__(self, html: str, name: str) -> None:
        self.html, self.name = html, name

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file that ends in ``.html`` or ``.htm``; returns its path."""
        path = checked(path)
        write_atomically(path, self.html.encode())
        return path

    def __repr__(self) -> str:
        return f"<the backward pass of {self.name} as a page; save('page.html') writes it to a file>"

    def _repr_html_(self) -> str:
        title = escape(f"the backward pass of {self.name}, step by step")
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts allow-modals" title="{title}" width="100%" '
            f'height="{_HEIGHT}" style="border:1px solid rgba(128, 128, 128, 0.5)"></iframe>'
        )


def checked(path: str | os.PathLike[str]) -> Path:
    """A path for a page, if it ends as one."""
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"backprop_page: {path} ends in {path.suffix or 'nothing'!r}; expected .html")
    return path
