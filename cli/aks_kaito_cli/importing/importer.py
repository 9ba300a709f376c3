"""The environment file of a file of variables: written once, with a list of what it still needs."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aks_kaito.settings import Problem, SettingsError, load, named
from aks_kaito.settings.problems import display_path
from aks_kaito_cli.answers import BLOCKED, FINE, Answer, Finding, State
from aks_kaito_cli.importing import document, tfvars
from aks_kaito_cli.importing.carrying import Entry, Left, carried

_NAME = r"[a-z][a-z0-9-]{0,14}[a-z0-9]"
_LEFT, _DEFAULTS = "Not carried over", "The sample's defaults without a counterpart"
_REPLACED, _OPEN, _NOTED = "Replaced by this project's default", "To complete", "To note"


class UnusableError(Exception):
    """Nothing was written; the message says why."""


@dataclass(frozen=True)
class _Replaced:
    entry: Entry
    problem: Problem


def run(source: Path, name: str, folder: Path) -> Answer:
    """Write `folder`/`name`.toml from a file of variables; an existing file is never changed.

    Raises:
        UnusableError: The file of variables cannot be read, or the environment exists.
    """
    path = folder / f"{name}.toml"
    _refuse_a_bad_target(path, name)
    try:
        assigned = tfvars.read(source)
    except tfvars.TfvarsError as error:
        raise UnusableError(str(error)) from None
    entries, left = carried(assigned)
    entries, replaced = _accepted(entries, name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(document.text(entries, source.name))
    except OSError as error:
        raise UnusableError(f"{display_path(path)}: cannot be written: {error.strerror or error}") from None
    return _answer(path, source, entries, [*_left(left), *_replacements(replaced), *_needs(folder, name)])


def _refuse_a_bad_target(path: Path, name: str) -> None:
    if not re.fullmatch(_NAME, name):
        raise UnusableError(f"--name {name!r}: must be 2-16 lower-case letters, digits and '-', starting with a letter")
    if path.exists() or path.is_symlink():
        raise UnusableError(f"{display_path(path)} exists, and is not changed; choose another --name")


def _accepted(entries: list[Entry], name: str) -> tuple[list[Entry], list[_Replaced]]:
    """Return the keys, less those whose refused value the key's own default may replace."""
    replaced: list[_Replaced] = []
    while True:
        problems = _problems(entries, name)
        bad = [
            _Replaced(entry, problem)
            for entry in entries
            if entry.replaceable
            for problem in problems
            if f"{problem.key}.".startswith(f"{entry.key}.")
        ]
        if not bad:
            return entries, replaced
        replaced += bad
        entries = [entry for entry in entries if entry.key not in {each.entry.key for each in bad}]


def _problems(entries: Sequence[Entry], name: str) -> Sequence[Problem]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.toml"
        path.write_text(document.text(entries, ""), encoding="utf-8")
        try:
            load(path)
        except SettingsError as error:
            return error.problems
    return ()


def _left(left: Sequence[Left]) -> list[Finding]:
    ordered = sorted(left, key=lambda each: (not each.is_set, not each.matters))
    return [
        Finding(_LEFT if each.is_set else _DEFAULTS, each.variable, "warning" if each.matters else "info", each.reason)
        for each in ordered
    ]


def _replacements(replaced: Sequence[_Replaced]) -> list[Finding]:
    return [
        Finding(_REPLACED, each.entry.source, "warning", str(each.problem))
        for each in {each.entry.key: each for each in replaced}.values()
    ]


def _needs(folder: Path, name: str) -> list[Finding]:
    """Return the problems and the warnings of the written file."""
    try:
        warnings = named(folder, name).warnings
    except SettingsError as error:
        return [Finding(_OPEN, problem.key, "blocker", str(problem)) for problem in error.problems]
    return [Finding(_NOTED, *_parted(warning)) for warning in warnings]


def _parted(warning: str) -> tuple[str, State, str]:
    """Return a warning's key and text, without the file's name."""
    text = warning.partition(": ")[2]
    return text.partition(" = ")[0], "warning", text


def _answer(path: Path, source: Path, entries: Sequence[Entry], findings: Sequence[Finding]) -> Answer:
    open_count = sum(finding.state == "blocker" for finding in findings)
    left_count = sum(finding.group in (_LEFT, _REPLACED) for finding in findings)
    set_count = sum(entry.origin == "set" for entry in entries)
    shown = display_path(path)
    sentence = (
        f"Wrote {shown}: {set_count} values of {source.name}, {len(entries) - set_count} that the sample has without "
        f"them; {left_count} did not carry over"
    )
    sentence += f", {open_count} to complete before it can be synthesized." if open_count else ". It is valid."
    following = f"make synth ENV={path.stem}"
    more = {
        "file": str(shown),
        "keys": [{"key": entry.key, "source": entry.source, "origin": entry.origin} for entry in entries],
    }
    command = f"edit {shown}, then: {following}" if open_count else following
    return Answer(findings, sentence, command, BLOCKED if open_count else FINE, more)
