"""The application as a process: read the settings, serve until a signal arrives, drain and exit."""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Coroutine
from types import FrameType

import uvicorn
import uvloop

from kaito_chat import garbage
from kaito_chat.lean_imports import lean
from kaito_chat.page.http_head import BoundedHead
from kaito_chat.page.prepare import DataDirError, prepare
from kaito_chat.settings import PREFIX, Settings, SettingsError, read
from kaito_chat.telemetry import logs, management, traces

log = logging.getLogger(__name__)


def main() -> int:
    """Run the server and return the exit code: 0 after a graceful shutdown, 2 for invalid settings."""
    try:
        settings, warnings = read()
        prepare(settings)
    except (SettingsError, DataDirError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure(settings.log_level, settings.log_format)
    for warning in warnings:
        log.warning(warning)
    if settings.debug:
        log.warning("questions and answers are logged: %sDEBUG is set", PREFIX)
    try:
        listeners = (
            management.listen(settings.host, settings.listen_port, f"{PREFIX}LISTEN_PORT"),
            management.listen(settings.host, settings.management, f"{PREFIX}MANAGEMENT_PORT"),
        )
    except management.PortError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    flush = traces.configure() if settings.otlp_endpoint else None
    try:
        return uvloop.run(_serve(settings, *listeners))
    finally:
        if flush:
            flush()


async def _serve(settings: Settings, listener: socket.socket, management_listener: socket.socket) -> int:
    # Engine.IO's client imports requests. PyJWT imports cryptography for algorithms that Chainlit and this application
    # do not use, but a credential does, which signs with a certificate.
    unused = ("requests",) if settings.identity_needed else ("requests", "cryptography")
    # Chainlit reads the environment that `prepare` sets when it is imported, so these imports come late.
    with lean(*unused):
        from kaito_chat import server  # noqa: PLC0415
        from kaito_chat.chat.services import build  # noqa: PLC0415
        from kaito_chat.history import HistoryError, open_history  # noqa: PLC0415

    services = build(settings)
    try:
        layer = await open_history(settings, services.credential)
    except HistoryError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    services.history = layer.store if layer else None
    app = server.build(services, layer)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=BoundedHead,
        ws="websockets-sansio",
        ws_max_size=server.LARGEST_FRAME_BYTES,
        ws_per_message_deflate=False,
        server_header=False,
        workers=1,  # otherwise uvicorn reads WEB_CONCURRENCY, which may be no number
        timeout_graceful_shutdown=3,
    )
    garbage.settle()
    collecting = asyncio.create_task(garbage.collect(lambda: services.answering))
    routes = management.application(lambda: server.not_ready(services))
    async with management.serving(routes, management_listener):
        await _Draining(config, services.drain).serve(sockets=[listener])
    collecting.cancel()
    return 0


class _Draining(uvicorn.Server):
    """Drains running answers before it closes connections; plain uvicorn closes every WebSocket first."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Coroutine[None, None, None]]) -> None:
        super().__init__(config)
        self._drain = drain
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain on the first signal, exit at once on the second; neither is re-raised, so the exit code stays 0."""
        del sig, frame
        self._loop.call_soon_threadsafe(self._begin_to_end)

    def _begin_to_end(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._drain_and_end())
        else:
            self.force_exit = self.should_exit = True

    async def _drain_and_end(self) -> None:
        try:
            await self._drain()
        finally:
            self.should_exit = True
