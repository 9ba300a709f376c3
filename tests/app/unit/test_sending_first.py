"""The request of a question is written before the page and the history hear of it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import uvloop

from kaito_chat.backends import Event, Message, Sampling, ServedModel, Text, Timeouts, pool
from kaito_chat.backends.http import Endpoint
from kaito_chat.backends.openai import OpenAI
from kaito_chat.models.batching import batched

ANSWER = b'data: {"choices": [{"delta": {"content": "yes"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=100)
arrived = threading.Event()


class Server(BaseHTTPRequestHandler):
    """Notes each question when its body has arrived; keeps connections open."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        arrived.set()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def _ask(url: str) -> list[bool]:
    """Ask twice on one connection; return whether each question was on its way before the work began."""
    sent: list[bool] = []

    async def look() -> None:
        # Blocks the event loop, so that nothing else of this process can send meanwhile.
        sent.append(arrived.wait(2))

    async with pool(1, 1) as client:
        backend = OpenAI(Endpoint(client, url, Timeouts()), "vllm")
        for work in (None, look):
            arrived.clear()
            request = backend.request(ServedModel("m"), [Message("user", "Hello?")], SAMPLING)
            events: list[Event] = [event async for batch in batched(backend.stream(request), work) for event in batch]
            assert events[0] == Text("yes")
    return sent


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_request_is_on_its_way_before_the_work_of_the_meantime(
    url: str, run: Callable[[Coroutine[Any, Any, list[bool]]], list[bool]]
) -> None:
    assert run(_ask(url)) == [True]


async def test_an_error_of_the_work_ends_the_stream() -> None:
    closed = asyncio.Event()

    async def silent() -> Any:
        try:
            await asyncio.sleep(60)
            yield [1]
        finally:
            closed.set()

    async def fail() -> None:
        raise ValueError("the page is gone")

    with pytest.raises(ValueError, match="the page is gone"):
        await anext(batched(silent(), fail))
    assert closed.is_set()
