"""Cheaper imports of large libraries.

A third of a start's CPU time is spent on parts of libraries that the chat never uses: packages that they import if
they are installed, and the validators of models, of which a process uses few.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel


@contextmanager
def lean(*optional: str) -> Iterator[None]:
    """Build the validators of the models that are imported in the context when they are first used.

    Args:
        optional: Packages that appear as not installed, unless they are imported already.
    """
    hidden = [name for name in optional if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment] # documented: the import raises ModuleNotFoundError
    BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        del BaseModel.model_config["defer_build"]
        for name in hidden:
            del sys.modules[name]
