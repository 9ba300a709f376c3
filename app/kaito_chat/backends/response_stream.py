"""The bytes of a streamed answer: the first token as it arrives, the next ones in steps."""

import asyncio
from collections.abc import AsyncIterator

import httpx
from httpx_aiohttp import AiohttpTransport

CONTENT = "content"


class ResponseStream:
    """The bytes of a streamed answer, and the deadline of its next token.

    Waking up for each token would cost more than generating it, without a visible benefit. So the first token is read
    at once, and the next ones in steps; the end of the answer ends a pause.

    Attributes:
        chunks: The bytes, up to a token as they arrive, then in steps.
        begun: Whether a token has arrived.
        whole: Whether the answer comes as one JSON document instead.
    """

    def __init__(self, response: httpx.Response, deadline: asyncio.Timeout, token_seconds: float, pause: float) -> None:
        self.chunks: AsyncIterator[bytes] = self._steps(response) if pause else response.aiter_bytes()
        self.begun = False
        self.whole = response.headers.get("content-type", "").startswith("application/json")
        self._deadline = deadline
        self._token_seconds = token_seconds
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._time = self._loop.time
        self._ended = False
        self._paused: asyncio.Future[None] | None = None

    def progress(self) -> None:
        """Note that a token arrived, and move the deadline. Comments and empty chunks are no progress."""
        self.begun = True
        self._deadline.reschedule(self._time() + self._token_seconds)

    async def _steps(self, response: httpx.Response) -> AsyncIterator[bytes]:
        if content := response.extensions.get(CONTENT):
            content.on_eof(self._end)
        async for chunk in response.aiter_bytes():
            yield chunk
            if self.begun and not self._ended:
                self._paused = self._loop.create_future()
                timer = self._loop.call_later(self._pause, self._go_on)
                try:
                    await self._paused
                finally:
                    timer.cancel()

    def _end(self) -> None:
        self._ended = True
        self._go_on()

    def _go_on(self) -> None:
        if self._paused and not self._paused.done():
            self._paused.set_result(None)


class Transport(AiohttpTransport):
    """The transport, with aiohttp's reader of the body among a response's extensions: it reports the end of a body."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        response = await super().handle_async_request(request)
        sent = getattr(response.stream, "_aiohttp_response", None)  # no public name
        if sent is not None:
            response.extensions[CONTENT] = sent.content
        return response
