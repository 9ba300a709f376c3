"""Recorded metrics of vLLM, KAITO's downloader and NVIDIA's exporter, served on loopback.

The names, labels and buckets are those of vLLM 0.9.0 (KAITO 0.6) and 0.25.1 (KAITO 0.12), of KAITO 0.12's wrapper while
it downloads a model, and of DCGM exporter 4.5.3. The file in the OpenMetrics format is the response of vLLM's library,
prometheus_client, to a Prometheus that does not ask for names in UTF-8.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

FOLDER = Path(__file__).parent / "recorded"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
# Counters are 0 in the first scrapes, as those of a server that has just started.
FRESH_SCRAPES = 2
_GROWING = re.compile(r"^(\w[\w:]*_(?:total|bucket|count|sum)(?:\{[^}]*\})?) \S+$", re.MULTILINE)


class _Handler(BaseHTTPRequestHandler):
    """Answers `/NAME/metrics` with a recording."""

    scrapes: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        name = self.path.split("/")[1]
        self.scrapes[name] += 1
        text = (FOLDER / name).read_text(encoding="utf-8")
        if self.scrapes[name] <= FRESH_SCRAPES:
            text = _GROWING.sub(r"\1 0.0", text)
        self.send_response(200)
        self.send_header("content-type", OPENMETRICS if name.endswith(".openmetrics") else TEXT)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def served() -> Iterator[str]:
    """Serve all recordings until the context ends; the address."""
    _Handler.scrapes.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
