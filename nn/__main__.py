"""``python -m nn``: train a network on a table, and use it."""

import sys

from .cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
