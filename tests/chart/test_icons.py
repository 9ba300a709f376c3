"""Icons: environment file, chart and application accept the same addresses."""

import importlib.util
from types import ModuleType

import pytest
from pydantic import TypeAdapter, ValidationError

from aks_kaito.settings.model_parts import Icon
from support.project import ROOT
from support.rendering import RenderError, at, default, render

GOOD = [
    "/public/a.svg",
    "public/icons/phi-4.svg",
    "https://example.org/llama.svg?v=2",
    "https://example.org:8443/a%20b.png",
]
BAD = [
    "http://example.org/a.svg",
    "/public/../a",
    "https://example.org/a;b",
    "https://example.org/a b",
    "/other/a.svg",
    "/public/",
]


@pytest.fixture(scope="module")
def application() -> ModuleType:
    """The application's module, which imports nothing of the application."""
    spec = importlib.util.spec_from_file_location("icons", ROOT / "app/kaito_chat/settings/icons.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def accepted_by_file_and_application(icon: str, application: ModuleType) -> set[bool]:
    found = set()
    for kind in (Icon, application.Icon):
        try:
            TypeAdapter(kind).validate_python(icon)
        except ValidationError:
            found.add(False)
        else:
            found.add(True)
    return found


@pytest.mark.parametrize("icon", GOOD)
def test_an_icon_is_accepted_everywhere(icon: str, application: ModuleType) -> None:
    assert accepted_by_file_and_application(icon, application) == {True}
    render(default(at("model.icon", icon)))


@pytest.mark.parametrize("icon", BAD)
def test_any_other_icon_is_refused_everywhere(icon: str, application: ModuleType) -> None:
    assert accepted_by_file_and_application(icon, application) == {False}
    with pytest.raises(RenderError, match="icon"):
        render(default(at("model.icon", icon)))
