"""Validate objects against the schemas of Kubernetes, and custom resources against their definitions."""

from functools import cache
from typing import Any

import jsonschema
import kubernetes_validate
import yaml
from jsonschema.exceptions import best_match
from kubernetes_validate import utils

from support.needs import needs_path
from support.project import ROOT
from support.rendering import Object

CRDS = ROOT.parent / "shared" / "crds"
# It would read all definitions of a version of Kubernetes again for each object.
vars(utils)["schema_contents"] = cache(utils.schema_contents)
VALIDATOR = jsonschema.Draft202012Validator
KAITO = ("kaito-0.6.0", "kaito-0.12.0")
CORE = (
    "v1",
    "apps/v1",
    "autoscaling/v2",
    "batch/v1",
    "networking.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
    "storage.k8s.io/v1",
)


def strict(schema: Any) -> Any:
    """Return a definition's schema that refuses unknown fields."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    found = {key: strict(value) if key != "properties" else value for key, value in schema.items()}
    if "properties" in schema:
        found["properties"] = {key: strict(value) for key, value in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            found.setdefault("additionalProperties", False)
    if "(?i)" in str(found.get("pattern")):  # Go allows a flag anywhere
        found["pattern"] = "(?i)" + found["pattern"].replace("(?i)", "")
    if schema.get("nullable"):
        found["type"] = [found["type"], "null"]
    return found


@cache
def definitions() -> dict[tuple[str, str], list[tuple[str, Any]]]:
    """Map apiVersion and kind to the schemas of all files that define it, with the file's folder."""
    found: dict[tuple[str, str], list[tuple[str, Any]]] = {}
    for path in sorted(CRDS.rglob("*.yaml")):
        spec = yaml.load(path.read_bytes(), yaml.CSafeLoader)["spec"]
        for version in spec["versions"]:
            key = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            found.setdefault(key, []).append((path.parent.name, schema))
    return found


def is_core(each: Object) -> bool:
    """Tell whether Kubernetes itself defines an object's kind."""
    return each["apiVersion"] in CORE


def check_core(objects: list[Object], kubernetes: str) -> None:
    """Validate Kubernetes's own objects; refuse unknown fields."""
    for each in objects:
        if is_core(each):
            kubernetes_validate.validate(each, kubernetes, strict=True)


def check_custom(objects: list[Object], *, of_one_version: bool = False) -> set[tuple[str, str]]:
    """Validate custom resources against all their definitions; return the checked folders and kinds.

    With `of_one_version`, the definition of one version of KAITO suffices, as for a field that the others lack. Without
    definitions the test is skipped here, after its earlier assertions.
    """
    checked = set()
    for each in objects:
        key = each["apiVersion"], each["kind"]
        if is_core(each):
            continue
        needs_path(CRDS, "the custom resource definitions in ../shared/crds")
        assert key in definitions(), f"no definition of {key}"
        errors = {folder: best_match(VALIDATOR(schema).iter_errors(each)) for folder, schema in definitions()[key]}
        refused = [error for error in errors.values() if error is not None]
        if refused and not (of_one_version and len(refused) < len(errors)):
            raise refused[0]
        checked |= {(folder, each["kind"]) for folder in errors}
    return checked


def restricted(spec: dict[str, Any]) -> None:
    """Assert that a pod satisfies the Pod Security level `restricted`."""
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    allowed = {"emptyDir", "csi", "configMap", "secret"}
    assert all(set(volume) - {"name"} <= allowed for volume in spec["volumes"])
    for each in spec["containers"]:
        context = each["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert not {"privileged", "procMount"} & set(context)
        assert not any("hostPort" in port for port in each.get("ports", []))
