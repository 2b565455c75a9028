"""An optimizer's step in few calls: many parameters at once, by NumPy or by machine code."""
