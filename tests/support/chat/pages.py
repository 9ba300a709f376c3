"""A page that sends any event and any packet."""

import asyncio
from typing import Any

from kaito_chat.chainlit_client import Page


class Hostile(Page):
    """A page that sends any event.

    Args:
        url: The application's URL.
        show_seconds: From the connection until the page is ready to display the conversation.
        how: Further arguments of `Page`.

    Attributes:
        states: The events that show and hide Stop, since the page was opened.
    """

    def __init__(self, url: str, *, show_seconds: float = 0, **how: Any) -> None:
        super().__init__(url, **how)
        self.states: list[str] = []
        self._show_seconds = show_seconds

    async def _show(self) -> None:
        await asyncio.sleep(self._show_seconds)
        await super()._show()

    @property
    def connected(self) -> bool:
        """Whether the application accepted the connection."""
        return self._socket is not None and self._socket.connected

    async def _on_task_start(self, *_: object) -> None:
        self.states.append("task_start")
        await super()._on_task_start()

    async def _on_task_end(self, *_: object) -> None:
        self.states.append("task_end")
        await super()._on_task_end()

    async def send(self, event: str, data: object) -> None:
        """Send an event, and return the response as if to a question."""
        self._begin()
        await self._socket.emit(event, data)

    async def send_raw(self, packet: str | bytes) -> None:
        """Send a raw Socket.IO packet, or an attachment of one."""
        self._begin()
        await self._socket.eio.send(packet)

    async def hears(self, notice: str, seconds: float = 10) -> None:
        """Wait for a notice of a kind."""
        async with asyncio.timeout(seconds):
            while self.heard.notice != notice:
                await asyncio.sleep(0.02)

    async def cut(self) -> None:
        """Drop the connection without a close frame, as a network failure does."""
        self._socket.eio.ws._response.connection.transport.abort()  # noqa: SLF001 - the client has no such method
        await self._socket.eio.wait()
        if self._http:
            await self._http.close()
