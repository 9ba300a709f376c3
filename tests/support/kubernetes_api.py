"""A Kubernetes API server in memory, as far as helm needs it: discovery, objects, and the storage of releases.

Objects are ready at once, except Deployments whose image contains `broken`; no controller runs, so nothing follows from
an object. Patches of every type are applied as JSON merge patches, which suffices for objects without lists to merge.
"""

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from support.rendering import Object

_KINDS = {
    "v1": ("ConfigMap", "Pod", "Secret", "Service", "ServiceAccount", "Namespace"),
    "apps/v1": ("Deployment", "ReplicaSet"),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "kaito.sh/v1beta1": ("InferenceSet", "Workspace"),
    "networking.k8s.io/v1": ("Ingress", "NetworkPolicy"),
    "policy/v1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1": ("Role", "RoleBinding"),
}
_PLURALS = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
_PROTOBUF = b"k8s\x00"
_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def _plural(kind: str) -> str:
    return _PLURALS.get(kind, f"{kind.lower()}s")


_RESOURCES = {_plural(kind): (version, kind) for version, kinds in _KINDS.items() for kind in kinds}


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
        self.objects[_plural(kind), name]["status"] = status

    def read(self, path: str, query: dict[str, list[str]]) -> tuple[int, Object]:
        """Answer GET."""
        parts = path.strip("/").split("/")
        if path == "/version":
            return 200, {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}
        if path in {"/api", "/apis"} or "/".join(parts[1:]) in _KINDS:
            return 200, _discovery(path)
        if parts[-1] in _RESOURCES:
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
        version, kind = _RESOURCES[resource]
        wanted = dict(part.split("=", 1) for part in selector.split(",") if part)
        items = [
            each
            for (found, _), each in sorted(self.objects.items())
            if found == resource and wanted.items() <= each["metadata"].get("labels", {}).items()
        ]
        return {"apiVersion": version, "kind": f"{kind}List", "metadata": {"resourceVersion": "1"}, "items": items}

    def _store(self, key: tuple[str, str], body: Object, status: int) -> tuple[int, Object]:
        self._version += 1
        version, kind = _RESOURCES[key[0]]
        body |= {"apiVersion": version, "kind": kind}
        body["metadata"] |= {"resourceVersion": str(self._version), "generation": 1, "uid": f"{key[0]}-{key[1]}"}
        if kind == "Service":
            body["spec"]["clusterIP"] = "172.16.0.1"
        if kind == "Deployment":
            body["status"] = {"observedGeneration": 1}
            self.objects["replicasets", key[1]] = _replica_set(body)
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
            body = _secret(text) if text.startswith(_PROTOBUF) else yaml.safe_load(text)
        self._answer(*self.api.write(self.command, urlsplit(self.path).path, body))

    do_POST = do_PUT = do_PATCH = do_DELETE = _write

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


def _discovery(path: str) -> Object:
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [version.split("/") for version in _KINDS if "/" in version]
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [
                {
                    "name": group,
                    "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
                    "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
                }
                for group, version in groups
            ],
        }
    version = path.strip("/").partition("/")[2]
    resources = [
        {"name": _plural(kind), "kind": kind, "namespaced": kind != "Namespace", "verbs": _VERBS}
        for kind in _KINDS[version]
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def _secret(text: bytes) -> Object:
    """Decode a Secret of Kubernetes's protobuf, in which helm's client writes releases."""
    body = list(_fields(dict(_fields(text.removeprefix(_PROTOBUF)))[2]))
    secret = dict(body)
    metadata = list(_fields(secret[1]))
    named = {key: value.decode() for key, value in metadata if key == 1}
    labels = [dict(_fields(value)) for key, value in metadata if key == 11]
    entries = [dict(_fields(value)) for key, value in body if key == 2]
    return {
        "metadata": {"name": named[1], "labels": {each[1].decode(): each[2].decode() for each in labels}},
        "data": {each[1].decode(): base64.b64encode(each[2]).decode() for each in entries},
        "type": secret[3].decode(),
    }


def _fields(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of the fields of a protobuf message that have a length."""
    position = 0

    def number() -> int:
        nonlocal position
        found, shift = 0, 0
        while True:
            byte = text[position]
            position += 1
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found

    while position < len(text):
        key = number()
        size = number()
        if key & 7 == 2:
            yield key >> 3, text[position : position + size]
            position += size


def _not_found(path: str) -> tuple[int, Object]:
    message = f"{path} not found"
    return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404, "message": message}


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
