"""The table of NumPy's functions in the documentation, against the registry."""

import re

import numpy as np
import scipy.special

from .functions_table import PATH, table


def rows(text):
    """From the heading and the function's name to its line."""
    found, heading = {}, ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line
        elif name := re.match(r"\| `(\w+)`", line):
            found[heading, name.group(1)] = line
    return found


def versions(text):
    """NumPy's and SciPy's that a table was made with, as numbers."""
    found = re.search(r"NumPy (\d+)\.(\d+)\S* and SciPy (\d+)\.(\d+)\S*\.", text)
    numpy_major, numpy_minor, scipy_major, scipy_minor = map(int, found.groups())
    return {"numpy": (numpy_major, numpy_minor), "scipy": (scipy_major, scipy_minor)}


def test_the_table_in_the_documentation_is_what_the_registry_says():
    written, made = rows(PATH.read_text()), rows(table())
    shared = written.keys() & made.keys()
    assert [made[key] for key in shared if written[key] != made[key]] == []
    assert len(shared) > 0.9 * len(written)


def test_the_table_names_no_function_that_an_installed_library_has_and_the_registry_does_not_know():
    written, made = rows(PATH.read_text()), rows(table())
    modules = {module.__name__: module for module in (np, np.linalg, np.fft, scipy.special)}
    unknown = [
        f"{heading[3:]}.{name}" for heading, name in written.keys() - made.keys() if hasattr(modules[heading[3:]], name)
    ]
    assert unknown == []


def test_the_table_leaves_out_only_functions_of_libraries_newer_than_those_it_was_made_with():
    text, now = PATH.read_text(), table()
    newer = {library for library, version in versions(now).items() if version > versions(text)[library]}
    left_out = [
        f"{heading[3:]}.{name}"
        for heading, name in rows(now).keys() - rows(text).keys()
        if heading[3:].partition(".")[0] not in newer
    ]
    assert left_out == []
