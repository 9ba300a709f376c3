"""Values that no environment file may have: passwords, keys and tokens."""

import re
from typing import Any

_NAME = re.compile(
    r"passw|secret|token|credential|connection_?string|sas(_|$)|(access|account|api|private)_?key", re.IGNORECASE
)
_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"  # PEM and OpenSSH
    r"|://[^/@\s:]+:[^/@\s]+@"  # a password in a URL
    r"|://[^/@\s:]{20,}@"  # a token in a URL
    r"|(AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)=",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Return whether a variable or a key has the name of a secret."""
    return bool(_NAME.search(name))


def holds_secret(value: Any, *, has_known_keys: bool) -> bool:  # noqa: ANN401 - a value of any type
    """Return whether a value is a secret, or has one at any depth; the names of known keys are no sign of one."""
    if isinstance(value, dict):
        named = not has_known_keys and any(is_secret_name(key) and item for key, item in value.items())
        return named or holds_secret(list(value.values()), has_known_keys=has_known_keys)
    if isinstance(value, list):
        return any(holds_secret(item, has_known_keys=has_known_keys) for item in value)
    return isinstance(value, str) and bool(_VALUE.search(value))
