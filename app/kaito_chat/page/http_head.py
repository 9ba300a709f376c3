"""Bounds the head and the trailers of a request: uvicorn's fast parser reads them for as long as they come."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES = 64 * 1024


class BoundedHead(HttpToolsProtocol):
    """An HTTP connection that ends when the head of a request, its trailers or a chunk's extension is too large."""

    _bytes = 0

    def data_received(self, data: bytes) -> None:
        """Read a piece, unless it makes the head too large."""
        self._bytes += len(data)
        super().data_received(data)
        if self._bytes > LARGEST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Request header fields too large.")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body is no head."""
        self._bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._bytes = 0
        super().on_message_complete()
