"""A model server that streams many answers at little cost: the first token after 0.3 s, then 30 tokens/s.

The Starlette endpoint beside it needs more of a core for 300 streams than the application in front of it. This one
writes prepared frames from timers, so that it can share a core with the pages of the benchmark.
"""

import asyncio
import json
import sys
from typing import cast

import uvloop

FIRST_SECONDS, TOKENS_PER_SECOND, TOKENS = 0.3, 30, 240
WORD = "word "
MODELS = json.dumps({"data": [{"id": "fixed", "owned_by": "vllm", "max_model_len": 100_000}]}).encode()
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(content: bytes) -> bytes:
    """Return a chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(content), content)


def event(content: dict[str, object]) -> bytes:
    """Return a server-sent event as a chunk."""
    frame = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "fixed"}
    return chunk(f"data: {json.dumps(frame | content)}\n\n".encode())


PIECE = event({"choices": [{"index": 0, "delta": {"content": WORD}}]})
END = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}) + chunk(b"data: [DONE]\n\n") + chunk(b"")


class Connection(asyncio.Protocol):
    """One connection, with one answer at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def connection_lost(self, _error: Exception | None) -> None:
        """End the answer."""
        if self._timer:
            self._timer.cancel()

    def data_received(self, received: bytes) -> None:
        """Answer each whole request."""
        self._received += received
        while b"\r\n\r\n" in self._received:
            head, rest = self._received.split(b"\r\n\r\n", 1)
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            length = int(fields.get(b"content-length", b"0"))
            if len(rest) < length:
                return
            self._received = rest[length:]
            self._answer(head.split(b" ", 2)[1])

    def _answer(self, path: bytes) -> None:
        if path == b"/v1/models":
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(MODELS)}\r\n\r\n"
            self._transport.write(head.encode() + MODELS)
        elif path == b"/v1/chat/completions":
            self._began = self._loop.time() + FIRST_SECONDS
            self._transport.write(HEAD)
            self._timer = self._loop.call_at(self._began, self._write, 0)
        else:
            self._transport.write(NOT_FOUND)

    def _write(self, number: int) -> None:
        if number == TOKENS:
            self._transport.write(END)
            return
        self._transport.write(PIECE)
        self._timer = self._loop.call_at(self._began + (number + 1) / TOKENS_PER_SECOND, self._write, number + 1)


async def main(port: int) -> None:
    """Serve until the process ends."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=2000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
