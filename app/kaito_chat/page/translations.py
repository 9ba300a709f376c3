"""Chainlit's translation files, extended by our own texts.

The page and our script load the same file, so both always use the same language.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kaito_chat.texts import Texts, codes, texts_for

OURS = "kaito_chat"


def write(folder: Path) -> None:
    """Write a file for each language, and one for each base language without a region.

    Chainlit alone would show English for `de-AT`, although it has `de-DE`.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bases = {code.split("-")[0] for code in codes()} - set(codes())
    for code in codes():
        _write(folder / f"{code}.json", texts_for(code))
    for base in bases:
        _write(folder / f"{base}.json", texts_for(base))


def _write(path: Path, texts: Texts) -> None:
    path.write_text(json.dumps(_merged(texts), ensure_ascii=False), encoding="utf-8")


def _merged(texts: Texts) -> dict[str, Any]:
    """Return Chainlit's translations with our script's texts, and with a login form that asks for a user name."""
    merged: dict[str, Any] = json.loads((chainlits() / f"{texts.language}.json").read_text(encoding="utf-8"))
    merged["auth"]["login"]["form"]["email"] |= {
        "label": texts.say("login.user_name"),
        "required": texts.say("login.user_name_required"),
        "placeholder": "",
    }
    merged[OURS] = {"language": texts.language, **texts.page()}
    return merged


def chainlits() -> Path:
    """Return the directory of Chainlit's own translations, without importing Chainlit."""
    spec = find_spec("chainlit")
    assert spec is not None and spec.submodule_search_locations  # noqa: S101, PT018 - a dependency
    return Path(spec.submodule_search_locations[0]) / "translations"
