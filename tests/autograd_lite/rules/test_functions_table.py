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


def test_the_table_in_the_documentation_is_what_the_registry_says():
    written, made = rows(PATH.read_text()), rows(table())
    assert [line for key, line in made.items() if written.get(key) != line] == []


def test_the_table_names_no_function_that_only_it_knows():
    # NumPy 2.0 lacks some functions that later versions have.
    written, made = rows(PATH.read_text()), rows(table())
    later = {"astype", "matvec", "vecmat", "unstack", "cumulative_sum", "cumulative_prod"}
    assert {name for _, name in written.keys() - made.keys()} <= later
