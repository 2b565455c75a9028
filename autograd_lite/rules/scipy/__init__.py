"""Rules of SciPy's functions; registered when one of them first meets a tensor."""
