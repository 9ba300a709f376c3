"""Bounds the head of a request: uvicorn's fast parser keeps reading headers for as long as they come."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES = 64 * 1024


class BoundedHead(HttpToolsProtocol):
    """An HTTP connection that ends when the head of a request is too large."""

    _head_bytes = 0
    _in_head = True

    def data_received(self, data: bytes) -> None:
        """Read a piece, unless it makes the head too large."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > LARGEST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Request header fields too large.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The rest of a request is its body."""
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()
