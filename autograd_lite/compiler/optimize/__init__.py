"""Passes over a program: they remove calls that are not needed, and replace others by cheaper ones."""
