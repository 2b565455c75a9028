"""``python -m autograd_lite``: print the settings that decide the speed of this process; see `show_config`.

With ``--compile`` the machine code is compiled first, unless that was done on this machine before.
"""

import argparse
import sys

from .compiler.native import is_installed, loader
from .configuration import show_config


def main() -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd_lite", description="Print the settings that decide the speed here."
    )
    parser.add_argument(
        "--compile", action="store_true", help="compile the machine code first; needed once on a machine"
    )
    status = 0
    if parser.parse_args().compile:
        if not is_installed():
            parser.error("--compile needs Numba; pip install 'autograd_lite[jit]'")
        if any(loader.load(dtype) is None for dtype in sorted(loader.DTYPES, key=str)):
            status = 1
    show_config()
    return status


if __name__ == "__main__":
    sys.exit(main())
