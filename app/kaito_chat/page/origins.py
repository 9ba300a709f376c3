"""Which pages may talk to this server: its own.

Browsers name the page that a request comes from, in `Origin`. Cookies travel with requests of other sites' pages too,
and WebSockets know no CORS.
See: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Origin
"""

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_own(origin: str, host: str, public_origin: str | None) -> bool:
    """Whether a page of `origin` is ours.

    Args:
        origin: The request's `Origin`.
        host: The request's `Host`.
        public_origin: The page's configured origin; without one, the origin's host must be the request's own.
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
    """Scheme, host and port of an origin; `None` if it is none."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path or parts.query or parts.fragment or "@" in origin:
        return None
    return parts.scheme, parts.hostname.lower().rstrip("."), port or _PORTS[parts.scheme]
