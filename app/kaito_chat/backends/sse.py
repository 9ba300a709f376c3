"""Server-sent events in a byte stream.

httpx-sse does this too, but collects a line for as long as it grows; a broken server must not fill our memory.
See: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from collections.abc import AsyncGenerator, AsyncIterator

from kaito_chat.backends.errors import BackendError, Kind

LONGEST_LINE_BYTES = 1_000_000


async def lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes]]:
    """Yield the lines of each chunk, with the rest of the one before it; an unfinished last line is a line too.

    Lines come without their ends. A list for each chunk costs less than a step of the generator for each line.

    Raises:
        BackendError: A line is longer than a megabyte.
    """
    rest = b""
    async for chunk in chunks:
        if b"\n" not in chunk:
            rest += chunk
        else:
            *whole, rest = (rest + chunk).split(b"\n")
            yield [line.rstrip(b"\r") for line in whole]
        if len(rest) > LONGEST_LINE_BYTES:
            raise BackendError(Kind.GARBLED, f"a line of more than {LONGEST_LINE_BYTES} bytes")
    if rest:
        yield [rest.rstrip(b"\r")]


async def data(chunks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes]]:
    """Yield the data of the events of each chunk.

    Model servers write one line of data per event, so lines are not joined.
    """
    async for arrived in lines(chunks):
        if found := [_data(line) for line in arrived if line.startswith((b"data:", b"error:"))]:
            yield found


def _data(line: bytes) -> bytes:
    if line.startswith(b"data:"):
        return line[5:].strip()
    return b'{"error":' + line[6:].strip() + b"}"  # llama.cpp's own
