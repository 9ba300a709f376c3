"""Allow-list of routes, with the largest body of each.

Chainlit serves more than this application uses: uploads, MCP, sharing, elements, a second sign-in that renews tokens
indefinitely, its API documentation, and the page at any other path. A route that is not listed here answers 404, also
after an upgrade of Chainlit.
"""

import re
from typing import NamedTuple

KIB = 1024
LONGEST_PATH = 1000
LONGEST_SEGMENT = 200
_ID = r"[0-9a-f-]{36}"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\\ufffd]")


class Route(NamedTuple):
    """Methods and paths, and the largest body in bytes."""

    methods: frozenset[str]
    path: re.Pattern[str]
    body_bytes: int


def _route(methods: str, path: str, body_bytes: int = 0) -> Route:
    return Route(frozenset(methods.split()), re.compile(path), body_bytes)


SOCKET = "/ws/socket.io/"
ROUTES = (
    _route("GET HEAD", rf"/|/login|/login/callback|/thread(/({_ID})?)?"),
    _route("GET HEAD", r"/(public|assets|avatars)/.+|/favicon|/logo"),
    _route("GET", rf"/status|/user|/auth/config|/project/(settings|translations)|/project/thread/{_ID}"),
    _route("GET", r"/auth/oauth/azure-ad(/callback)?"),
    _route("POST", r"/login", 16 * KIB),
    _route("POST", r"/logout|/set-session-cookie|/wake", 4 * KIB),
    _route("POST", r"/project/(threads|action)", 64 * KIB),
    _route("PUT DELETE", r"/project/thread", 16 * KIB),
    _route("PUT DELETE", r"/feedback", 64 * KIB),
)


def is_plain(path: str) -> bool:
    """Return whether a path is safe to resolve: of limited length and without control characters."""
    return (
        len(path) <= LONGEST_PATH
        and not _CONTROL.search(path)
        and all(len(segment.encode(errors="replace")) <= LONGEST_SEGMENT for segment in path.split("/"))
    )


def body_limit(method: str, path: str) -> int | None:
    """Return the largest body of a request, in bytes; `None` if there is no such route."""
    return next((route.body_bytes for route in ROUTES if method in route.methods and route.path.fullmatch(path)), None)
