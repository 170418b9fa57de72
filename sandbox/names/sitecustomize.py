"""Python imports this at its start where PYTHONPATH names this folder, as the sandbox's environment does.

A module of the same name that it hides is run too.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

import accounts_as_hosts  # noqa: F401

_HERE = os.path.dirname(os.path.abspath(__file__))
_hidden = PathFinder.find_spec("sitecustomize", [folder for folder in sys.path if os.path.abspath(folder) != _HERE])
if _hidden and _hidden.loader:
    _hidden.loader.exec_module(module_from_spec(_hidden))
