"""The machine code's source: Python for Numba."""
