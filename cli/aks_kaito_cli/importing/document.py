"""Text of an environment file, from its keys; each line names the variable that it comes from."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from aks_kaito_cli.importing.carrying import Entry

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ORIGINS = {"set": "", "default": ", the sample's default", "always": ""}


def text(entries: Sequence[Entry], source: str) -> str:
    """Return the text of a file; `source` names the file of variables."""
    lines = [
        f"# Written by aks-kaito import-tfvars from {''.join(filter(str.isprintable, source))},",
        "# with the sample's defaults that differ from this project's.",
        "#:schema ./settings.schema.json",
    ]
    for table, members in _tables(entries):
        lines += ["", f"[{table}]"] if table else []
        lines += [_line(entry) for entry in members]
    return "\n".join(lines) + "\n"


def _tables(entries: Iterable[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield each table with its entries; those above all tables come first."""

    def table(entry: Entry) -> str:
        return entry.key.rpartition(".")[0]

    order = list(dict.fromkeys(["", *(table(entry) for entry in entries)]))
    for name, members in groupby(sorted(entries, key=lambda entry: order.index(table(entry))), table):
        yield name, list(members)


def _line(entry: Entry) -> str:
    return f"{entry.key.rpartition('.')[2]} = {_value(entry.value)} # {entry.source}{_ORIGINS[entry.origin]}"


def _value(value: Any) -> str:  # noqa: ANN401 - a value of any type
    if isinstance(value, dict):
        items = (f"{key if _BARE.fullmatch(key) else _text(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {', '.join(items)} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else str(value)


def _text(value: str) -> str:
    """Return a basic string of TOML, which differs from JSON's in one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
