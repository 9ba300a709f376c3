"""Check of the `Origin` header, against cross-site requests and cross-site WebSocket hijacking.

Browsers send cookies with requests of other sites' pages too, and CORS does not apply to WebSockets.
See: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Origin
"""

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_own(origin: str, host: str, public_origin: str | None) -> bool:
    """Return whether an origin is the application's own.

    Args:
        origin: The request's `Origin`.
        host: The request's `Host`.
        public_origin: The page's configured origin; without one, the origin's host must match `Host`.
    """
    asked = _parts(origin)
    if asked is None:
        return False
    if public_origin:
        return asked == _parts(public_origin)
    scheme, *place = asked
    own = _parts(f"{scheme}://{host}")
    return own is not None and place == list(own[1:])


def _parts(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an origin; `None` if it is malformed."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path or parts.query or parts.fragment or "@" in origin:
        return None
    return parts.scheme, parts.hostname.lower().rstrip("."), port or _PORTS[parts.scheme]
