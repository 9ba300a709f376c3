"""Traces of the running application, at a fake collector."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from kaito_chat.chainlit_client import Heard, Page
from support.chat.processes import Running, free_port, program

PROMPT = "Answer like a walrus."


class Collector(ThreadingHTTPServer):
    """A collector that accepts OTLP over HTTP, and keeps it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[tuple[str, bytes]] = []

    @property
    def whole(self) -> bytes:
        return b"".join(body for _, body in self.requests)

    def spans(self) -> list[Span]:
        """Return the spans, in the order of their start."""
        sent = [ExportTraceServiceRequest.FromString(body) for _, body in self.requests]
        found = [
            span
            for each in sent
            for resource in each.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        return sorted(found, key=lambda span: span.start_time_unix_nano)


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append((self.path, body))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(params=["refuses", "hangs"])
def broken_collector(request: pytest.FixtureRequest) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if request.param == "hangs":
            listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def traced(endpoint: str, folder: Path, **variables: str) -> Iterator[Running]:
    """Run the chat application with variables of OpenTelemetry."""
    port, management = free_port(), free_port()
    environment = {
        "KAITO_CHAT_ENDPOINT_URL": endpoint,
        "KAITO_CHAT_LISTEN_PORT": str(port),
        "KAITO_CHAT_MANAGEMENT_PORT": str(management),
        "KAITO_CHAT_DATA_DIR": str(folder / "data"),
        "KAITO_CHAT_SYSTEM_PROMPT": PROMPT,
        **variables,
    }
    with program(["-m", "kaito_chat"], port, folder / "chat.log", environment, management=management) as running:
        yield running


async def ask(app: Running, question: str) -> Heard:
    page = Page(app.url)
    await page.open()
    heard = await page.ask(question)
    await page.close()
    return heard


async def stop_in_the_middle(app: Running, question: str) -> None:
    page = Page(app.url)
    await page.open()
    await page.say(question)
    await page.first_text()
    await page.stop()
    await page.end_of_turn()
    await page.close()


def attributes(span: Span) -> dict[str, str]:
    return {each.key: each.value.string_value for each in span.attributes}


def test_each_question_is_a_span_without_content(scripted: Running, collector: Collector, folder: Path) -> None:
    with traced(scripted.url, folder, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as app:
        heard = asyncio.run(ask(app, "What is a zebra?"))
        asyncio.run(stop_in_the_middle(app, "count to 3000 for a giraffe"))
        assert app.stop() == 0
    assert "zebra" in (heard.answer or "")
    assert {path for path, _ in collector.requests} == {"/v1/traces"}
    spans = [span for span in collector.spans() if span.name == "chat"]
    assert [attributes(span) for span in spans] == [
        {"gen_ai.request.model": "scripted", "kaito_chat.outcome": outcome} for outcome in ("answered", "stopped")
    ]
    assert all(span.end_time_unix_nano > span.start_time_unix_nano for span in spans)
    assert b"kaito-chat" in collector.whole
    for word in ("zebra", "giraffe", "walrus", "I follow a script", "1 2 3"):
        assert word.encode() not in collector.whole


def test_nothing_but_questions_is_traced(scripted: Running, collector: Collector, folder: Path) -> None:
    with traced(scripted.url, folder, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as app:
        assert asyncio.run(ask(app, "hello")).answer
        assert app.stop() == 0
    assert [(span.name, span.parent_span_id) for span in collector.spans()] == [("chat", b"")]


def test_the_code_of_a_sign_in_is_not_traced(scripted: Running, collector: Collector, folder: Path) -> None:
    with traced(scripted.url, folder, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as app:
        httpx.get(app.url + "/auth/oauth/azure-ad/callback", params={"code": "topsecret", "state": "topsecret"})
        assert asyncio.run(ask(app, "hello")).answer
        assert app.stop() == 0
    assert b"topsecret" not in collector.whole


def test_without_the_setting_nothing_is_traced(scripted: Running, collector: Collector, folder: Path) -> None:
    # The exporter, if created, reads this variable by itself.
    variables = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces"}
    with traced(scripted.url, folder, **variables) as app:
        assert asyncio.run(ask(app, "hello")).answer
        assert app.stop() == 0
    assert collector.requests == []


def test_an_unresponsive_collector_does_not_affect_a_conversation(
    scripted: Running, broken_collector: str, folder: Path
) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": broken_collector, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with traced(scripted.url, folder, **variables) as app:
        for _ in range(3):
            heard = asyncio.run(ask(app, "hello"))
            assert heard.answer
            assert heard.notice is None
            assert heard.seconds < 5


def test_an_unresponsive_collector_does_not_delay_the_shutdown(
    scripted: Running, broken_collector: str, folder: Path
) -> None:
    with traced(scripted.url, folder, OTEL_EXPORTER_OTLP_ENDPOINT=broken_collector) as app:
        assert asyncio.run(ask(app, "hello")).answer
        began = time.monotonic()
        assert app.stop(30) == 0
        assert time.monotonic() - began < 4
