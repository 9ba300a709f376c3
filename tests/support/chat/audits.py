"""Audit lines of the application, and its answer to a token."""

import json
from typing import Any

import httpx

from support.chat.processes import Running

PUBLIC = "https://chat.example.com"


def audited(app: Running, **wanted: str) -> list[dict[str, Any]]:
    """Return the audit lines with the given values."""
    lines = [json.loads(line) for line in app.text().splitlines() if line.startswith("{")]
    found = [line for line in lines if line["logger"] == "kaito_chat.audit"]
    return [line for line in found if all(line.get(key) == value for key, value in wanted.items())]


def status(app: Running, value: str) -> int:
    return httpx.get(app.url + "/user", headers={"cookie": f"access_token={value}"}).status_code
