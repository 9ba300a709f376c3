"""`await_kaito` as a process, in front of a fake API server with changing responses."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kaito_chat import await_kaito
from support.project import ROOT

CATALOG = "".join(
    (ROOT / "constructs" / "aks_kaito" / name).read_text(encoding="utf-8")
    for name in ("catalog.toml", "kaito_catalog.toml")
)
MISSING = (404, "the server could not find the requested resource")
NO_WEBHOOK = (500, 'failed calling webhook "validation.workspace.kaito.sh": no endpoints available for service')
DENIED = (403, 'admission webhook "validation.workspace.kaito.sh" denied the request: unsupported instance type')
CREATED = (201, "")
FORBIDDEN = (403, 'workspaces.kaito.sh is forbidden: User "system:serviceaccount:chat:wait" cannot create resource')


@contextmanager
def api_server(answers: Sequence[tuple[int, str]]) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """Run an API server that gives one response after the other and repeats the last one; yield its requests."""
    asked: list[tuple[str, str, bytes]] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append((self.path, self.headers["authorization"], body))
            status, message = left.pop(0) if len(left) > 1 else left[0]
            text = json.dumps({"kind": "Status", "message": message}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def wait(url: str, folder: Path, seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """Run it, with a check every 50 ms."""
    for name, text in (("token", "t0ken"), ("namespace", "chat")):
        (folder / name).write_text(text, encoding="utf-8")
    script = "import sys; from kaito_chat import await_kaito as it; it.LOOK_SECONDS = 0.05; sys.exit(it.main())"
    arguments = ["--api-url", url, "--service-account-dir", str(folder), "--seconds", str(seconds)]
    app = Path(await_kaito.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=app, capture_output=True, text=True, check=False, timeout=60
    )


def test_it_waits_for_the_resource_and_then_for_its_webhook(tmp_path: Path) -> None:
    with api_server([MISSING, MISSING, CREATED, CREATED, NO_WEBHOOK, DENIED]) as (url, asked):
        done = wait(url, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["waiting"] * 3 + ["KAITO accepts Workspaces"]
    assert "kaito.sh/v1beta1" in lines[0]
    assert "no admission webhook validates Workspaces" in lines[1]
    assert "failed calling webhook" in lines[2]
    path, token, body = asked[0]
    assert path == "/apis/kaito.sh/v1beta1/namespaces/chat/workspaces?dryRun=All"
    assert token == "Bearer t0ken"  # noqa: S105
    assert json.loads(body)["kind"] == "Workspace"


def test_a_rejecting_webhook_counts_as_ready(tmp_path: Path) -> None:
    with api_server([DENIED]) as (url, asked):
        assert wait(url, tmp_path).returncode == 0
    assert len(asked) == 1


def test_a_kaito_without_a_webhook_is_accepted_before_the_timeout(tmp_path: Path) -> None:
    with api_server([CREATED]) as (url, asked):
        done = wait(url, tmp_path, seconds=1)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "KAITO accepts Workspaces without validating them")
    assert len(asked) > 3


@pytest.mark.parametrize(
    "other",
    [
        (429, "too many requests"),
        (403, 'admission webhook "validation.gatekeeper.sh" denied the request: no'),
        (422, "spec is invalid"),
    ],
)
def test_refusals_by_others_do_not_count_as_kaitos(other: tuple[int, str], tmp_path: Path) -> None:
    with api_server([other, DENIED]) as (url, asked):
        done = wait(url, tmp_path)
    assert (done.returncode, len(asked)) == (0, 2)
    assert f"waiting: the API server refuses: {other[1]}" in done.stdout


def test_no_kaito_accepts_the_dry_run() -> None:
    assert not await_kaito.INSTANCE_TYPE.startswith(("Standard_N", "Standard_D"))
    assert await_kaito.INSTANCE_TYPE not in CATALOG
    assert await_kaito.PRESET not in CATALOG


def test_without_the_permission_it_does_not_wait(tmp_path: Path) -> None:
    with api_server([FORBIDDEN]) as (url, asked):
        done = wait(url, tmp_path)
    assert done.returncode == 1
    assert "cannot create resource" in done.stderr
    assert len(asked) == 1


@pytest.mark.parametrize("answers", [[MISSING], None])
def test_a_timeout_is_reported_with_its_reason(answers: list[tuple[int, str]] | None, tmp_path: Path) -> None:
    if answers is None:
        done = wait("http://127.0.0.1:9", tmp_path, seconds=0.3)
    else:
        with api_server(answers) as (url, _):
            done = wait(url, tmp_path, seconds=0.3)
    assert done.returncode == 1
    assert done.stderr.startswith("gave up after 0.3 s: ")
    assert "Traceback" not in done.stderr


def test_running_outside_a_pod_is_reported(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "kaito_chat.await_kaito", "--service-account-dir", str(tmp_path / "none")]
    app = Path(await_kaito.__file__).parents[1]
    done = subprocess.run(arguments, cwd=app, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "this runs in a pod" in done.stderr
