"""Imports that leave out parts of libraries."""

import sys
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from kaito_chat.lean_imports import lean

LIBRARY = """
from pydantic import BaseModel
try:
    import wave
except ModuleNotFoundError:
    wave = None
class Choice(BaseModel):
    number: int
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with a model, which imports another if it can."""
    (tmp_path / "lean_library.py").write_text(LIBRARY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "lean_library", raising=False)
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    return "lean_library"


def test_an_optional_package_is_missing_in_the_context_only(library: str) -> None:
    with lean("wave"):
        assert import_module(library).wave is None
    assert import_module("wave").__name__ == "wave"


def test_a_package_that_is_loaded_stays(library: str) -> None:
    loaded = import_module("wave")
    with lean("wave"):
        assert import_module(library).wave is loaded
    assert sys.modules["wave"] is loaded


def test_models_are_built_when_they_are_used(library: str) -> None:
    with lean():
        model = import_module(library).Choice
    assert not model.__pydantic_complete__
    assert model(number="1").number == 1
    assert model.__pydantic_complete__
    with pytest.raises(ValidationError, match="number"):
        model(number="one")


def test_later_models_are_built_at_once_even_after_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), lean("wave"):
        import_module("no_such_module")

    class Later(BaseModel):
        number: int

    assert Later.__pydantic_complete__
    assert sys.modules.get("wave", import_module("wave")) is not None
