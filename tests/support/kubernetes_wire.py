"""Parts of Kubernetes's API that helm's client speaks: discovery of kinds, and Secrets in protobuf."""

import base64
from collections.abc import Iterator

from support.rendering import Object

KINDS = {
    "v1": ("ConfigMap", "Pod", "Secret", "Service", "ServiceAccount", "Namespace"),
    "apps/v1": ("Deployment", "ReplicaSet"),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "batch/v1": ("CronJob", "Job"),
    "gateway.networking.k8s.io/v1": ("Gateway", "HTTPRoute"),
    "inference.networking.k8s.io/v1": ("InferencePool",),
    "kaito.sh/v1beta1": ("InferenceSet", "Workspace"),
    "networking.k8s.io/v1": ("Ingress", "NetworkPolicy"),
    "policy/v1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1": ("Role", "RoleBinding"),
}
_PLURALS = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
PROTOBUF = b"k8s\x00"
_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def plural(kind: str) -> str:
    return _PLURALS.get(kind, f"{kind.lower()}s")


RESOURCES = {plural(kind): (version, kind) for version, kinds in KINDS.items() for kind in kinds}


def discovery(path: str) -> Object:
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [version.split("/") for version in KINDS if "/" in version]
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
        {"name": plural(kind), "kind": kind, "namespaced": kind != "Namespace", "verbs": _VERBS}
        for kind in KINDS[version]
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def secret_of(text: bytes) -> Object:
    """Decode a Secret of Kubernetes's protobuf, in which helm's client writes releases."""
    body = list(_fields(dict(_fields(text.removeprefix(PROTOBUF)))[2]))
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
