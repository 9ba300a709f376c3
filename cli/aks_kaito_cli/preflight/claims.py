"""Claims of an access token: who is signed in. Azure checks the signature, not this machine."""

import base64
import json
from typing import Any

from aks_kaito_cli.answers import Finding

_PARTS = 3
_NAMES = ("upn", "unique_name", "preferred_username", "app_displayname")


def of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT; none of another token."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def object_id(claims: dict[str, Any]) -> str:
    """Return the id in Entra ID, to which roles are assigned; empty if the token has none."""
    return str(claims.get("oid") or "")


def identity(group: str, claims: dict[str, Any]) -> Finding:
    """Return the finding that names the identity and its tenant."""
    if not object_id(claims):
        text = "the sign-in's token has no claims that can be read, so the identity is unknown"
        return Finding(group, "identity", "unknown", text, "az account show")
    is_application = claims.get("idtyp") == "app"
    kind = "application" if is_application else "user"
    name = next((str(claims[key]) for key in _NAMES if claims.get(key)), str(claims.get("appid") or "without a name"))
    text = f"{kind} {name}, object id {object_id(claims)}, in tenant {claims.get('tid') or 'unknown'}"
    return Finding(group, "identity", "info", text)
