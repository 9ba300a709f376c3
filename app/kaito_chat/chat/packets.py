"""Looks at the packets of sockets before Socket.IO reads them.

Socket.IO keeps the attachments of a binary packet until all have come, reads the events of connections that opened no
session, and lets a browser call the handlers of `connect` and `disconnect`. Our page sends none of these.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Collection

import socketio

from kaito_chat import metrics

log = logging.getLogger(__name__)

# A page that introduces itself, and every event but those that hold a question.
SHORT = 128 * 1024
_EVENT = re.compile(r'2\["([a-z_]{1,40})"[,\]]')
Handle = Callable[[str, object], Awaitable[None]]


def guard(server: socketio.AsyncServer, events: Collection[str], long: Collection[str]) -> None:
    """Pass on only the packets of a page that behaves; a connection that sends others without a session is closed.

    Args:
        server: Chainlit's Socket.IO server.
        events: The events that a page may send.
        long: Those of them that may be longer than `SHORT`.
    """
    handle: Handle = server.eio.handlers["message"]

    async def guarded(connection: str, packet: object) -> None:
        opened = server.manager.sid_from_eio_sid(connection, "/") is not None
        if not isinstance(packet, str) or not _is_ours(packet, events, long, opened=opened):
            metrics.REFUSED.labels("packet").inc()
            if not opened:
                await server.eio.disconnect(connection)
            return
        try:
            await handle(connection, packet)
        except (ValueError, RecursionError) as error:  # JSON that cannot be read
            metrics.REFUSED.labels("packet").inc()
            log.warning("a malformed packet was refused", extra={"reason": type(error).__name__})

    server.eio.handlers["message"] = guarded


def _is_ours(packet: str, events: Collection[str], long: Collection[str], *, opened: bool) -> bool:
    if packet[:1] in ("0", "1"):
        return len(packet) <= SHORT
    event = _EVENT.match(packet) if opened else None
    return event is not None and event[1] in events and (len(packet) <= SHORT or event[1] in long)
