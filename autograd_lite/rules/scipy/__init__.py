"""Rules of SciPy's functions; they are registered when one of the functions is first called with a tensor."""
