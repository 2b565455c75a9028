"""Modules that exist for speed alone; each docstring says what the module gains."""
