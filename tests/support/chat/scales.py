"""A Kubernetes API server with InferenceSets, their `scale` and their Workspaces, as far as a Role permits it."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

PREFIX = "/apis/kaito.sh/v1beta1/namespaces/chats/inferencesets/"
WORKSPACES = "/apis/kaito.sh/v1beta1/namespaces/chats/workspaces"
CREATED_BY = "inferenceset.kaito.sh/created-by"


class Asked(NamedTuple):
    """A request: its method, its path, the type of its body, and the body."""

    method: str
    path: str
    content_type: str | None
    body: Any


class Scales:
    """The server's address and its InferenceSets.

    Attributes:
        replicas: The number of replicas of each InferenceSet.
        permitted: The names of InferenceSets that the Role permits.
        lists: Whether the Role permits to list Workspaces.
        workspaces: The Workspaces that KAITO created.
        status: The status of each InferenceSet that has one.
        conflicts: How often another client changes the object between a read and a write.
        broken: Answer 500.
        asked: The requests.
    """

    def __init__(self, **replicas: int) -> None:
        self.replicas = replicas
        self.permitted = set(replicas)
        self.lists = True
        self.workspaces: list[dict[str, Any]] = []
        self.status: dict[str, dict[str, Any]] = {}
        self.conflicts = 0
        self.broken = False
        self.asked: list[Asked] = []
        self.url = ""
        self._version = 7

    def answer(self, asked: Asked, authorization: str | None) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of a response, as the API server writes them."""
        self.asked.append(asked)
        if asked.path.partition("?")[0] == WORKSPACES:
            return self._list(asked)
        name = asked.path.removeprefix(PREFIX).removesuffix("/scale")
        scale = asked.path.endswith("/scale")
        refusals = {
            (401, "Unauthorized", "Unauthorized"): authorization != "Bearer t0ken",
            (500, "InternalError", "etcdserver: request timed out"): self.broken,
            (403, "Forbidden", f'inferencesets.kaito.sh "{name}" is forbidden: User cannot {asked.method} scale'): (
                asked.path not in (f"{PREFIX}{name}", f"{PREFIX}{name}/scale") or name not in self.permitted
            ),
            (404, "NotFound", f'inferencesets.kaito.sh "{name}" not found'): name not in self.replicas,
        }
        refused = next((failure(*words) for words, holds in refusals.items() if holds), None)
        if refused is None and asked.method == "PATCH":
            refused = self._patch(name, asked)
        return refused or (200, self._scale(name) if scale else self._object(name))

    def _object(self, name: str) -> dict[str, Any]:
        metadata = {"name": name, "creationTimestamp": "2026-11-01T00:00:00Z"}
        found = {"kind": "InferenceSet", "metadata": metadata, "spec": {"replicas": self.replicas[name]}}
        return found | ({"status": self.status[name]} if name in self.status else {})

    def _list(self, asked: Asked) -> tuple[int, Any]:
        if self.broken or not self.lists:
            refusal = (
                (500, "InternalError", "etcdserver") if self.broken else (403, "Forbidden", "cannot list workspaces")
            )
            return failure(*refusal)
        (selector,) = parse_qs(urlsplit(asked.path).query)["labelSelector"]
        label, _, value = selector.partition("=")
        items = [each for each in self.workspaces if each["metadata"]["labels"].get(label) == value]
        return 200, {"kind": "WorkspaceList", "apiVersion": "kaito.sh/v1beta1", "items": items}

    def make(self, inference_set: str, workspace: dict[str, Any], **metadata: str) -> None:
        """Add a Workspace as KAITO creates it: with a random name and a label."""
        name = f"{inference_set}-{len(self.workspaces)}x7k2"
        labels = {"labels": {CREATED_BY: inference_set}}
        made = workspace | {"kind": "Workspace", "metadata": workspace["metadata"] | {"name": name} | labels | metadata}
        self.workspaces.append(made)

    def _scale(self, name: str) -> dict[str, Any]:
        # Kubernetes omits the number of replicas where it is 0.
        spec = {"replicas": self.replicas[name]} if self.replicas[name] else {}
        metadata = {"name": name, "resourceVersion": str(self._version)}
        return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec}

    def _patch(self, name: str, asked: Asked) -> tuple[int, dict[str, Any]] | None:
        if asked.content_type != "application/merge-patch+json":
            return failure(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        if self.conflicts:
            self.conflicts -= 1
            self._version += 1
        if asked.body["metadata"]["resourceVersion"] != str(self._version):
            return failure(409, "Conflict", "the object has been modified")
        self.replicas[name] = asked.body["spec"]["replicas"]
        self._version += 1
        return None

    def patches(self) -> list[Any]:
        """Return the bodies of the patches."""
        return [each.body for each in self.asked if each.method == "PATCH"]


def failure(status: int, reason: str, message: str) -> tuple[int, dict[str, Any]]:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status}
    return status, body | {"message": message}


def service_account(folder: Path) -> Path:
    """Write the files of a ServiceAccount, and return their folder."""
    (folder / "token").write_text("t0ken\n", encoding="utf-8")
    (folder / "namespace").write_text("chats", encoding="utf-8")
    return folder


@contextlib.contextmanager
def serving(**replicas: int) -> Iterator[Scales]:
    """Run the server for the duration of a test."""
    scales = Scales(**replicas)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            asked = Asked(self.command, self.path, self.headers.get("content-type"), body)
            status, found = scales.answer(asked, self.headers.get("authorization"))
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PATCH = do_PUT = _answer  # noqa: N815 - the names in the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scales.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield scales
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
