"""Decide what happens to a test for which its machine lacks something."""

import os
import shutil
from pathlib import Path
from typing import TypeVar

import pytest

from support.project import ROOT

Found = TypeVar("Found")


def needs(found: Found | None, what: str) -> Found:
    """Return what a test needs; without it the test is skipped, or fails where `CI` is set.

    Args:
        found: Falsy if the machine lacks it.
        what: Its name, and how to install it.
    """
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail(f"needs {what}")
    pytest.skip(f"needs {what}")


def needs_program(name: str, package: str, path: str | None = None) -> str:
    """Return the path of a program that a test needs, as `needs` does."""
    return needs(shutil.which(name, path=path), f"{name} (package: {package})")


def needs_path(path: Path, what: str) -> Path:
    """Return a path that a test needs to exist, as `needs` does."""
    return needs(path if path.exists() else None, what)


def needs_make() -> list[str]:
    """Return the command of make, which installs nothing: other tests use the environments at the same time."""
    installed = [path.relative_to(ROOT) for path in ROOT.glob(".venv*/.*installed")]
    return [needs_program("make", package="make"), *(f"--assume-old={path}" for path in installed)]
