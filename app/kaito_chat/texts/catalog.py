"""Loading of the translations, and language negotiation.

Chainlit's page and these texts have to use the same language, so the language codes and the fallback order are
Chainlit's.
"""

import json
import re
from functools import cache
from importlib.resources import files

DEFAULT = "en-US"
_CODE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,4})\s*(?:;\s*q\s*=\s*([0-9.]{1,5})\s*)?")
_MOST_CODES = 20


@cache
def codes() -> tuple[str, ...]:
    """Return the codes of the available languages, such as `de-DE` and `es`."""
    found = files(__package__).joinpath("languages").iterdir()
    return tuple(sorted(each.name.removesuffix(".json") for each in found if each.name.endswith(".json")))


@cache
def load(code: str) -> dict[str, str]:
    """Return the texts of a language by key."""
    path = files(__package__).joinpath("languages", f"{code}.json")
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def closest(language: str) -> str | None:
    """Return the closest available code: the language itself, without the region, or of another region."""
    wanted = language.strip().casefold()
    base = wanted.split("-")[0]
    known = {code.casefold(): code for code in codes()}
    if wanted in known:
        return known[wanted]
    if base in known:
        return known[base]
    if base == DEFAULT.split("-", maxsplit=1)[0]:
        return DEFAULT
    return next((code for folded, code in sorted(known.items()) if folded.split("-")[0] == base), None)


def negotiate(accept_language: str) -> str:
    """Return the language for a request's `Accept-Language` header.

    Only the preferred language counts, because Chainlit's page requests the browser's first language only.
    """
    found: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:_MOST_CODES]:
        if match := _CODE.fullmatch(part):
            try:
                found.append((float(match[2] or 1), match[1]))
            except ValueError:
                continue
    wanted = max(found, key=lambda each: each[0], default=(0.0, DEFAULT))[1]
    return closest(wanted) or DEFAULT
