"""A genuine Prometheus on loopback."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from support.chat.processes import free_port
from support.needs import needs_program

READY_SECONDS = 30
# Longest time until an expression has a value.
VALUE_SECONDS = 30


class Prometheus:
    """A running server."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def query(self, expression: str) -> dict[str, float]:
        """Return the values of an expression now, by the labels of its series as JSON."""
        response = self._client.get("/api/v1/query", params={"query": expression})
        answer = response.json()
        assert answer["status"] == "success", (expression, answer)
        return {
            json.dumps(each["metric"], sort_keys=True): float(each["value"][1]) for each in answer["data"]["result"]
        }

    def until(self, expression: str, seconds: float = VALUE_SECONDS) -> dict[str, float]:
        """Return the values of an expression once it has one."""
        end = time.monotonic() + seconds
        while not (found := self.query(expression)) and time.monotonic() < end:
            time.sleep(0.5)
        return found

    def rules(self) -> dict[str, dict[str, Any]]:
        """Return its rules, by name."""
        groups = self._client.get("/api/v1/rules").json()["data"]["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def healthy(self) -> bool:
        """Return whether it answers, and scrapes every target."""
        try:
            return bool(self.query("min(up) == 1"))
        except (httpx.HTTPError, ValueError):
            return False


@contextmanager
def running(jobs: Sequence[Mapping[str, Any]], rules: Path, folder: Path) -> Iterator[Prometheus]:
    """Run a server that scrapes these jobs and evaluates these rules each second, until the context ends."""
    program, port = needs_program("prometheus", package="prometheus"), free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": list(jobs),
    }
    # JSON is valid YAML.
    (folder / "prometheus.yaml").write_text(json.dumps(config), encoding="utf-8")
    command = [
        program,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        (folder / "prometheus.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            server = Prometheus(client)
            end = time.monotonic() + READY_SECONDS
            while not server.healthy():
                log_text = (folder / "prometheus.log").read_text(encoding="utf-8")
                assert process.poll() is None, log_text
                assert time.monotonic() < end, log_text
                time.sleep(0.2)
            yield server
        finally:
            process.terminate()
