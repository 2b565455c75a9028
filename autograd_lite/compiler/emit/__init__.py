"""The last pass of the compiler: Python code, NumPy calls, and segments for machine code."""
