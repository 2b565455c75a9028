"""Layers: modules with parameters, and the functions between them."""
