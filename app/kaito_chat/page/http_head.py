"""Size limit and timeout for a request's headers and trailers, which uvicorn's httptools parser does not have."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 30.0


class BoundedHead(HttpToolsProtocol):
    """An HTTP connection that is closed when the headers or trailers take too long or are too large."""

    _bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timeout for the first request."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received data, and answer 400 if the headers exceed the limit."""
        self._bytes += len(data)
        super().data_received(data)
        if self._bytes > LARGEST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Request header fields too large.")

    def on_message_begin(self) -> None:
        """Start the timeout for the headers."""
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop the timeout: the headers are complete."""
        self._bytes = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Exclude the body from the count."""
        self._bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Exclude a complete request from the count."""
        self._bytes = 0
        super().on_message_complete()

    def _expect_head(self) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._close)

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
