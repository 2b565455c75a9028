"""The last pass of the compiler: Python code, NumPy calls, and stretches for machine code."""
