"""Passes over a program: what is not needed goes, and what can be cheaper becomes so."""
