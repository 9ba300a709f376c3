"""Server-sent events in a byte stream.

httpx-sse does this too, but collects a line for as long as it grows; a broken server must not fill our memory.
See: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from collections.abc import AsyncGenerator, AsyncIterator

from kaito_chat.backends.errors import BackendError, Kind

LONGEST_LINE_BYTES = 1_000_000


async def lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Yield lines without their ends, however the bytes are split; an unfinished last line is a line too.

    Raises:
        BackendError: A line is longer than a megabyte.
    """
    rest = b""
    async for chunk in chunks:
        if b"\n" not in chunk:
            rest += chunk
        else:
            first, *whole = (rest + chunk).split(b"\n")
            rest = whole.pop()
            yield first.rstrip(b"\r")
            for line in whole:
                yield line.rstrip(b"\r")
        if len(rest) > LONGEST_LINE_BYTES:
            raise BackendError(Kind.GARBLED, f"a line of more than {LONGEST_LINE_BYTES} bytes")
    if rest:
        yield rest.rstrip(b"\r")


async def data(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Yield the data of each event. Model servers write one line of data per event, so lines are not joined."""
    async for line in lines(chunks):
        if line.startswith(b"data:"):
            yield line[5:].strip()
        elif line.startswith(b"error:"):  # llama.cpp's own
            yield b'{"error":' + line[6:].strip() + b"}"
