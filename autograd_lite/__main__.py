"""``python -m autograd_lite``: print what decides the speed of this process; see `show_config`."""

from .configuration import show_config

if __name__ == "__main__":
    show_config()
