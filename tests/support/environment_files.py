"""Environment files with changes, and the problems that the reader finds in them."""

from datetime import date
from pathlib import Path

import pytest

from aks_kaito.settings import SettingsError, load
from support.project import ROOT, TODAY, own

DEV = own((ROOT / "environments" / "dev.toml").read_text(encoding="utf-8"))
# Publishes a chat without sign-in.
OPEN = "\n[chat]\npublic_without_sign_in = true\n"


def written(folder: Path, text: str, name: str = "dev") -> Path:
    """Write an environment file."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(table: str, *lines: str, text: str = DEV) -> str:
    """Return the dev file, or another text, with lines that replace or add keys of a table; "" is the top level."""
    keys = {line.split(" = ")[0] for line in lines}
    header = f"[{table}]"
    kept = []
    current = ""
    for line in text.splitlines():
        current = line.strip("[]") if line.startswith("[") else current
        if not (current == table and line.split(" = ")[0] in keys):
            kept.append(line)
    if not table:
        return "\n".join([*lines, *kept])
    if header not in kept:
        return "\n".join([*kept, header, *lines])
    place = kept.index(header) + 1
    return "\n".join([*kept[:place], *lines, *kept[place:]])


def problems(path: Path, today: date = TODAY) -> dict[str, str]:
    """Return the problems of a file, by key."""
    with pytest.raises(SettingsError) as caught:
        load(path, today)
    found: dict[str, str] = {}
    for problem in caught.value.problems:
        found[problem.key] = "\n".join(filter(None, [found.get(problem.key), str(problem)]))
    return found


def edited(edits: dict[str, list[str]], text: str = DEV) -> str:
    """Return the dev file, or another text, with lines that replace or add keys of several tables."""
    for table, lines in edits.items():
        text = changed(table, *lines, text=text)
    return text


def warnings(path: Path) -> list[str]:
    """Return the warnings about an accepted file that the dev file itself does not cause, without the file's name."""

    def texts(of: Path) -> list[str]:
        return [warning.partition(".toml: ")[2] for warning in load(of, TODAY).warnings]

    usual = texts(ROOT / "environments" / "dev.toml")
    return [text for text in texts(path) if text not in usual]
