"""``python -m nn``: trains a network on a table, and uses it."""

import sys

if __name__ == "__main__":
    try:
        from .cli.commands import main

        sys.exit(main())
    except KeyboardInterrupt:
        print("nn: stopped by Ctrl-C", file=sys.stderr)
        sys.exit(130)
