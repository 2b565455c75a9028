"""An optimizer's step in few calls, by NumPy or by machine code."""
