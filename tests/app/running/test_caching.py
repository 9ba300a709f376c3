"""Caching in browsers: our scripts keep their names in the next version, so that browsers must validate them."""

import re
from collections.abc import Mapping

import httpx
import pytest

from support.chat.processes import Running


def caching(app: Running, path: str) -> str | None:
    """Return the `Cache-Control` header of a file."""
    headers: Mapping[str, str] = httpx.get(app.url + path).raise_for_status().headers
    return headers.get("cache-control")


@pytest.mark.parametrize("path", ["kaito-chat.js", "kaito-chat.css", "kaito-chat/page.js", "kaito-chat/signals.js"])
def test_our_scripts_and_styles_are_validated_at_each_load(app: Running, path: str) -> None:
    assert caching(app, f"/public/{path}") == "no-cache"


def test_the_page_is_not_stored(app: Running) -> None:
    assert caching(app, "/") == "no-store"


def test_files_whose_name_contains_their_hash_may_be_kept(app: Running) -> None:
    (script,) = re.findall(r'src="(/assets/[^"]+\.js)"', httpx.get(app.url + "/").text)
    assert caching(app, script) is None
