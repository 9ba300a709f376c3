"""Addresses of icons."""

import re
from typing import Annotated

from pydantic import AfterValidator

OWN = re.compile(r"/?(public(/[A-Za-z0-9_-][A-Za-z0-9._~-]*)+)")
# Without the characters that would end a source in the page's Content-Security-Policy.
REMOTE = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/%@+-]*)?(\?[A-Za-z0-9._~%=&+-]*)?")


def _icon(value: str) -> str:
    if own := OWN.fullmatch(value):
        return f"/{own[1]}"
    if not REMOTE.fullmatch(value):
        raise ValueError("must be an https:// address or a path below /public, such as /public/icon.svg")
    return value


Icon = Annotated[str, AfterValidator(_icon)]


def sources(icons: set[str]) -> list[str]:
    """Return the addresses of icons on other servers, without their queries, in which browsers ignore differences."""
    return sorted({icon.partition("?")[0] for icon in icons if icon.startswith("https://")})
