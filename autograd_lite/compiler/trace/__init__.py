"""The first pass of the compiler: a function runs once, and its NumPy calls become a program."""
