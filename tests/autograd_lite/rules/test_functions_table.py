"""The table of NumPy's functions in the documentation, against the registry."""

import re

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
    """NumPy's and SciPy's that a table was made with."""
    return re.findall(r"NumPy (\S+) and SciPy (\S+)\.", text)


def test_the_table_in_the_documentation_is_what_the_registry_says():
    written, made = rows(PATH.read_text()), rows(table())
    shared = written.keys() & made.keys()
    assert [made[key] for key in shared if written[key] != made[key]] == []
    assert len(shared) > 0.9 * len(written)


def test_the_table_leaves_no_function_out_and_adds_none():
    # Other versions have functions that these lack.
    text, now = PATH.read_text(), table()
    assert versions(text) != versions(now) or rows(text).keys() == rows(now).keys()
