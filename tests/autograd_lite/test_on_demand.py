"""Names whose modules are imported on demand: all are found, and what no program asks for is not imported."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import autograd_lite
import autograd_lite.checks
import nn

PACKAGES = pytest.mark.parametrize("package", [autograd_lite, autograd_lite.checks, nn], ids=lambda p: p.__name__)


def names_for_type_checkers(package):
    """The names that a package imports under TYPE_CHECKING alone."""
    tree = ast.parse(Path(package.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    return {name.asname or name.name for line in block.body for name in line.names}


@PACKAGES
def test_every_name_that_type_checkers_see_is_found(package):
    for name in names_for_type_checkers(package):
        assert getattr(package, name) is not None
        assert name in dir(package)


@PACKAGES
def test_type_checkers_see_every_name_that_is_found_on_demand(package):
    code = f"import {package.__name__} as p; print(*(set(dir(p)) - set(vars(p))))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(found) - {"draw", "extend", "special"} <= names_for_type_checkers(package)


@PACKAGES
def test_an_unknown_name_is_an_attribute_error_that_names_the_package(package):
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'nothing'"):
        _ = package.nothing


def test_names_on_demand_come_with_a_star():
    names = {}
    exec("from nn import *; from autograd_lite import *", names)
    assert {"fit", "summary", "save_weights", "check_gradients", "Tensor", "MLP"} <= names.keys()


@pytest.mark.parametrize(
    "name", ["autograd_lite", "autograd_lite.transforms", "autograd_lite.draw", "autograd_lite.checks", "nn"]
)
def test_the_documentation_of_a_package_lists_its_public_names_and_no_inner_module(name):
    package = import_module(name)
    assert [one for one in package.__all__ if f"`{one}`" not in package.__doc__] == []
    inner = {"core", "compiler", "habits", "user_line", "layers", "mode", "module", "arguments", "gradients", "picture"}
    assert not inner & set(package.__all__)


@pytest.mark.parametrize(
    "module",
    [
        "nn.training",
        "nn.report",
        "nn.io",
        "nn.data",
        "autograd_lite.checks.finite",
        "autograd_lite.compiler.ir",
        "autograd_lite.draw",
    ],
)
def test_what_a_program_does_not_ask_for_is_not_imported(module):
    code = f"import autograd_lite, nn, sys; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
