"""``python -m nn``: trains a network on a table, and uses it."""

import sys

from .cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
