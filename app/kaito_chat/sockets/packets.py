"""Filter of WebSocket packets before Socket.IO parses them.

Socket.IO buffers the attachments of a binary packet without limit, parses events of connections without a session, and
lets a browser call the handlers of `connect` and `disconnect`. The page sends none of these. It sends some events that
this application does not use: they are ignored, and not counted as refused.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import socketio

from kaito_chat.telemetry import metrics

log = logging.getLogger(__name__)

# The largest packet in characters, except for events with a question.
SHORT = 128 * 1024
# Timeout for the connect packet after the WebSocket was opened.
OPENING_SECONDS = 30.0
# Sent by Chainlit's page: at each connection, for each window message (also our own), while a setting is edited.
UNUSED = ("fetch_favorites", "window_message", "chat_settings_edit")
_EVENT = re.compile(r'2\["([a-z_]{1,40})"[,\]]')
Connected = Callable[[str, object], Awaitable[Any]]
Handle = Callable[[str, object], Awaitable[None]]


def guard(server: socketio.AsyncServer, events: Collection[str], long: Collection[str]) -> None:
    """Drop packets that the page never sends; close a connection that sends such a packet before it has a session.

    Args:
        server: Chainlit's Socket.IO server.
        events: The events that a page may send.
        long: Those of them that may be longer than `SHORT`.
    """
    handle: Handle = server.eio.handlers["message"]
    connected: Connected = server.eio.handlers["connect"]

    waiting: set[asyncio.Task[None]] = set()

    async def expected(connection: str, environ: object) -> Any:  # noqa: ANN401 - Engine.IO's
        task = asyncio.create_task(close_if_silent(connection))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
        return await connected(connection, environ)

    async def close_if_silent(connection: str) -> None:
        await asyncio.sleep(OPENING_SECONDS)
        if server.manager.sid_from_eio_sid(connection, "/") is None and connection in server.eio.sockets:
            metrics.REFUSED.labels("slow").inc()
            await _close(server, connection)

    async def guarded(connection: str, packet: object) -> None:
        opened = server.manager.sid_from_eio_sid(connection, "/") is not None
        if not isinstance(packet, str) or not _is_ours(packet, events, long, opened=opened):
            if not (opened and _is_unused(packet)):
                await _refuse(server, connection, opened=opened)
            return
        try:
            await handle(connection, packet)
        except (ValueError, RecursionError) as error:  # malformed JSON
            metrics.REFUSED.labels("packet").inc()
            log.warning("a malformed packet was refused", extra={"reason": type(error).__name__})

    server.eio.handlers["message"] = guarded
    server.eio.handlers["connect"] = expected


async def _refuse(server: socketio.AsyncServer, connection: str, *, opened: bool) -> None:
    metrics.REFUSED.labels("packet").inc()
    if not opened:
        await _close(server, connection)


async def _close(server: socketio.AsyncServer, connection: str) -> None:
    """Close the WebSocket; Engine.IO alone only asks the browser to do so."""
    engine_socket = server.eio.sockets.get(connection)
    if engine_socket:
        await server.eio.disconnect(connection)
        engine_socket.queue.put_nowait(None)  # stops the writer task, which closes the WebSocket


def _is_unused(packet: object) -> bool:
    event = _EVENT.match(packet) if isinstance(packet, str) and len(packet) <= SHORT else None
    return event is not None and event[1] in UNUSED


def _is_ours(packet: str, events: Collection[str], long: Collection[str], *, opened: bool) -> bool:
    if packet[:1] in ("0", "1"):
        return len(packet) <= SHORT
    event = _EVENT.match(packet) if opened else None
    return event is not None and event[1] in events and (len(packet) <= SHORT or event[1] in long)
