"""Every command line that the product prints or documents, by the program that it starts."""

import inspect
import re
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

from aks_kaito.settings import load
from aks_kaito_cli.commands import helm
from aks_kaito_cli.commands.azure import Azure
from aks_kaito_cli.commands.kubectl import Kubectl
from support.project import ROOT, TODAY

PROGRAMS = ("aks-kaito", "az", "helm", "kubectl", "terraform")
# Arguments of the builders, by their names.
_ARGUMENTS: dict[str, Any] = {
    "command": "kubectl get pods",
    "definition": "file.json",
    "file": "FILE",
    "folder": "app",
    "image": "kaito-chat:0.2.0",
    "kubeconfig": "kubeconfig",
    "name": "name",
    "names": ("first", "second"),
    "namespace": "kaito-chat",
    "port": 8000,
    "query": "name",
    "secret": "chat-auth-secret",
    "words": ("get", "pods"),
}
_FENCED = re.compile(r"^ *```(?:console|shell|bash)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:az|(?:\.venv/bin/)?aks-kaito|helm|kubectl|terraform) [a-z][^`\n]*)`")
_TEMPLATE = re.compile(r"\{\{-?.*?-?\}\}")


class Printed(NamedTuple):
    """A command line and its source; a sentence may name a command without all its arguments."""

    source: str
    words: tuple[str, ...]
    is_whole: bool = True


def printed(program: str) -> list[Printed]:
    """Return the distinct command lines of a program."""
    found = [*_documented(), *_in_notes(), *_in_code(), *_built()]
    lines = {each.words: each for each in found if each.words and each.words[0] == program}
    return list(lines.values())


def _documented() -> Iterator[Printed]:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "charts").rglob("*.md")]:
        text = path.read_text(encoding="utf-8")
        if path.name == "CHANGELOG.md":
            continue
        for block in _FENCED.findall(text):
            yield from _lines(str(path.relative_to(ROOT)), block)
        for line in _INLINE.findall(_FENCED.sub("", text)):
            yield from _lines(str(path.relative_to(ROOT)), line, is_whole=False)


def _in_notes() -> Iterator[Printed]:
    for path in (ROOT / "charts").rglob("NOTES.txt"):
        text = _TEMPLATE.sub("1", path.read_text(encoding="utf-8"))
        yield from _lines(str(path.relative_to(ROOT)), "\n".join(re.findall(r"^ {5}(\S.*)$", text, re.MULTILINE)))


def _in_code() -> Iterator[Printed]:
    """Yield commands that messages and docstrings name."""
    for folder in ("cli", "constructs", "environments"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.toml")]:
            for line in _INLINE.findall(path.read_text(encoding="utf-8")):
                yield from _lines(str(path.relative_to(ROOT)), line, is_whole=False)


def _built() -> Iterator[Printed]:
    """Yield what the builders of command lines return."""
    environment = load(ROOT / "environments" / "prod.toml", TODAY)
    for builder in (Azure(environment, "subscription"), Kubectl("kaito-chat", "kubeconfig")):
        for name, method in inspect.getmembers(builder, inspect.ismethod):
            if not name.startswith("_"):
                yield Printed(f"{type(builder).__name__}.{name}", tuple(_called(method)))
    upgrade = helm.Upgrade("charts/kaito-chat", "values.yaml", "kaito-chat", "kubeconfig", "0.2.0")
    yield Printed("helm.Upgrade", upgrade.command("helm", "v4.3.1"))


def _called(method: Any) -> tuple[str, ...]:
    parameters = inspect.signature(method).parameters.values()
    positional = [each for each in parameters if each.kind is not each.KEYWORD_ONLY]
    given: list[str] = []
    for each in positional:
        value = _ARGUMENTS[each.name]
        given += value if each.kind is each.VAR_POSITIONAL else [value]
    found: tuple[str, ...] = method(*given)
    return found


def _lines(source: str, text: str, *, is_whole: bool = True) -> Iterator[Printed]:
    """Yield the simple commands of lines of shell, with their continuations and without variables before them."""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        for command in re.split(r"&&|\|\||[;|]", re.sub(r"[<>]\S*", "", line.strip().removeprefix("$ "))):
            try:
                words = shlex.split(command.replace("…", "x").replace("$(", "").rstrip(')"'), comments=True)
            except ValueError:
                continue
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            words[:1] = [word.removeprefix(".venv/bin/") for word in words[:1]]
            if words and words[0] in PROGRAMS:
                yield Printed(source, tuple(words), is_whole)
