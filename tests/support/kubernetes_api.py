"""A Kubernetes API server in memory, as far as helm needs it: discovery, objects, and the storage of releases.

Objects are ready at once, and Jobs have ended. Deployments and Jobs whose image contains `broken` never become
ready, or have failed. No controller runs, so nothing follows from an object. Patches of every type are applied as JSON
merge patches, which suffices for objects without lists to merge.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from support.kubernetes_wire import KINDS, PROTOBUF, RESOURCES, discovery, plural, secret_of
from support.rendering import Object


class KubernetesApi:
    """The server's address and its objects by resource and name; all are in one namespace."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.objects: dict[tuple[str, str], Object] = {}
        self.deleted: list[str] = []
        """Names of deleted Workspaces and InferenceSets, in order."""
        self._lock = threading.Lock()
        self._version = 0
        handler = type("Handler", (_Handler,), {"api": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def models(self) -> set[str]:
        """Return the names of the live Workspaces and InferenceSets."""
        return {name for resource, name in self.objects if resource in {"workspaces", "inferencesets"}}

    def set_status(self, kind: str, name: str, status: dict[str, Any]) -> None:
        """Set what a controller would report."""
        self.objects[plural(kind), name]["status"] = status

    def read(self, path: str, query: dict[str, list[str]]) -> tuple[int, Object]:
        """Answer GET."""
        parts = path.strip("/").split("/")
        if path == "/version":
            return 200, {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}
        if path in {"/api", "/apis"} or "/".join(parts[1:]) in KINDS:
            return 200, discovery(path)
        if parts[-1] in RESOURCES:
            return 200, self._list(parts[-1], query.get("labelSelector", [""])[0])
        found = self.objects.get((parts[-2], parts[-1])) if len(parts) > 1 else None
        return (200, found) if found else _not_found(path)

    def write(self, method: str, path: str, body: Object) -> tuple[int, Object]:
        """Answer POST, PUT, PATCH and DELETE."""
        parts = path.strip("/").split("/")
        with self._lock:
            if method == "POST":
                return self._store((parts[-1], body["metadata"]["name"]), body, 201)
            key = (parts[-2], parts[-1])
            live = self.objects.get(key)
            if method == "DELETE":
                return self._delete(key) if live else _not_found(path)
            if method == "PATCH" and live:
                applied = "metadata" in body and "kind" in body  # server-side apply sends whole objects
                kept = {name: live[name] for name in ("status",) if name in live}
                return self._store(key, body | kept if applied else _merged(live, body), 200)
            return self._store(key, body, 200)

    def _list(self, resource: str, selector: str) -> Object:
        version, kind = RESOURCES[resource]
        wanted = dict(part.split("=", 1) for part in selector.split(",") if part)
        items = [
            each
            for (found, _), each in sorted(self.objects.items())
            if found == resource and wanted.items() <= each["metadata"].get("labels", {}).items()
        ]
        return {"apiVersion": version, "kind": f"{kind}List", "metadata": {"resourceVersion": "1"}, "items": items}

    def _store(self, key: tuple[str, str], body: Object, status: int) -> tuple[int, Object]:
        self._version += 1
        version, kind = RESOURCES[key[0]]
        body |= {"apiVersion": version, "kind": kind}
        body["metadata"] |= {"resourceVersion": str(self._version), "generation": 1, "uid": f"{key[0]}-{key[1]}"}
        if kind == "Service":
            body["spec"]["clusterIP"] = "172.16.0.1"
        if kind == "Deployment":
            body["status"] = {"observedGeneration": 1}
            self.objects["replicasets", key[1]] = _replica_set(body)
        if kind == "Job":
            ended = "Failed" if "broken" in json.dumps(body) else "Complete"
            body["status"] = {"conditions": [{"type": ended, "status": "True"}]}
        self.objects[key] = body
        return status, body

    def _delete(self, key: tuple[str, str]) -> tuple[int, Object]:
        if key[0] in {"workspaces", "inferencesets"}:
            self.deleted.append(key[1])
        del self.objects[key]
        return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}


class _Handler(BaseHTTPRequestHandler):
    api: KubernetesApi
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: a body of its own waits 40 ms until helm acknowledges the headers.
    wbufsize = -1

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/openapi/v2":  # a protobuf document that describes no kind, so helm validates none
            self._send(200, b"\n\x032.0", "application/octet-stream")
            return
        self._answer(*self.api.read(url.path, parse_qs(url.query)))

    def _write(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body: Object = {}
        if self.command != "DELETE":
            body = secret_of(text) if text.startswith(PROTOBUF) else yaml.load(text, yaml.CSafeLoader)
        self._answer(*self.api.write(self.command, urlsplit(self.path).path, body))

    def do_POST(self) -> None:
        self._write()

    def do_PUT(self) -> None:
        self._write()

    def do_PATCH(self) -> None:
        self._write()

    def do_DELETE(self) -> None:
        self._write()

    def _answer(self, status: int, body: Object) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, text: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
        """Log nothing."""


@contextlib.contextmanager
def kubernetes_api() -> Iterator[KubernetesApi]:
    """Run a server for the duration of a test."""
    api = KubernetesApi()
    thread = threading.Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.server.shutdown()
        api.server.server_close()
        thread.join()


def _replica_set(deployment: Object) -> Object:
    """Return the ReplicaSet by which helm recognises that a Deployment is ready."""
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
    ready = 0 if "broken" in json.dumps(template) else deployment["spec"].get("replicas", 1)
    named = {"name": metadata["name"], "labels": template["metadata"]["labels"]}
    return {
        "metadata": named | {"ownerReferences": [owner | {"controller": True}]},
        "spec": {"selector": deployment["spec"]["selector"], "template": template},
        "status": {"readyReplicas": ready},
    }


def _not_found(path: str) -> tuple[int, Object]:
    message = f"{path} not found"
    return 404, {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "NotFound",
        "code": 404,
        "message": message,
    }


def _merged(live: Any, patch: Any) -> Any:
    """Apply a JSON merge patch, without the directives of strategic merge patches."""
    if not isinstance(patch, dict):
        return patch
    found = dict(live) if isinstance(live, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        elif not key.startswith("$"):
            found[key] = _merged(found.get(key), value)
    return found
