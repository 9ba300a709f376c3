"""Objects of the cluster that own GPU pools, or nodes without one, read through kubectl in one of several ways.

An object that cannot be read is never taken for one that does not exist.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from aks_kaito.charts.names import KAITO_DEPLOYMENT, KAITO_NAMESPACE
from aks_kaito_cli.gpu_pools.pools import Owner, Pool, of_claim
from aks_kaito_cli.shell import StepError

# Without a definition, the API server has no object of a kind. An InferenceSet owns pools through its Workspaces.
_KINDS = ("workspaces.kaito.sh", "ragengines.kaito.sh", "nodeclaims.karpenter.sh")
_DEFINITIONS = ("get", "customresourcedefinitions", "--output", "name", "--request-timeout=15s")
_SET = "inferenceset.kaito.sh/created-by"
_CHART = ("get", "deployments", KAITO_DEPLOYMENT, "--namespace", KAITO_NAMESPACE, "--ignore-not-found")

# Arguments of kubectl to its output.
Run = Callable[[tuple[str, ...]], str]
T = TypeVar("T")


class ClusterUnreadableError(Exception):
    """No way to the cluster works, so that owners are unknown."""


class Way(NamedTuple):
    """A way to run kubectl."""

    name: str
    open: Callable[[], AbstractContextManager[Run]]


@dataclass(frozen=True)
class Objects:
    """The objects that own pools.

    Attributes:
        owners: Workspaces and RAGEngines; each with the InferenceSet that made it, or an empty text.
        claims: Names of NodeClaims; true if a NodeClaim is being deleted.
        way: The way on which they were read.
        nodes: Nodes of KAITO, by their NodeClaims: also those of node auto-provisioning, which are in no pool.
    """

    owners: Mapping[Owner, str]
    claims: Mapping[str, bool]
    way: str = ""
    nodes: tuple[Pool, ...] = ()


def has_chart(ways: Sequence[Way]) -> bool:
    """Return whether the controller of the open-source chart exists.

    Raises:
        ClusterUnreadableError: No way works; the message has the reason of each.
    """
    return _on_first(ways, lambda run, _: bool(run((*_CHART, "--output", "name", "--request-timeout=15s")).strip()))


def read(ways: Sequence[Way]) -> Objects:
    """Return the objects, on the first way that works.

    Raises:
        ClusterUnreadableError: None works; the message has the reason of each.
    """
    return _on_first(ways, _objects)


def _on_first(ways: Sequence[Way], ask: Callable[[Run, str], T]) -> T:
    reasons = []
    for way in ways:
        try:
            with way.open() as run:
                return ask(run, way.name)
        except StepError as error:
            reasons.append(f"{way.name}: {error}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reasons.append(f"{way.name}: the answer has another form than expected ({type(error).__name__}: {error})")
    raise ClusterUnreadableError("; ".join(reasons) or "there is no way to the cluster")


def _objects(run: Run, way: str) -> Objects:
    defined = {line.partition("/")[2].strip() for line in run(_DEFINITIONS).splitlines()}
    if not any(defined):
        raise ValueError("no definitions")
    kinds = [kind for kind in _KINDS if kind in defined]
    if not kinds:
        return Objects({}, {}, way)
    found = json.loads(run(("get", ",".join(kinds), "--all-namespaces", "--output", "json", "--request-timeout=15s")))
    if found["kind"] != "List":
        raise ValueError(f"a {found['kind']} instead of a List")
    items: list[dict[str, Any]] = found["items"]
    owners = {_owner(item): _set(item) for item in items if item["kind"] in ("Workspace", "RAGEngine")}
    claimed = [item for item in items if item["kind"] == "NodeClaim"]
    claims = {str(item["metadata"]["name"]): "deletionTimestamp" in item["metadata"] for item in claimed}
    nodes = (of_claim(item) for item in claimed)
    return Objects(owners, claims, way, tuple(node for node in nodes if node.owner is not None))


def _owner(item: Mapping[str, Any]) -> Owner:
    metadata = item["metadata"]
    return Owner(str(item["kind"]), str(metadata["namespace"]), str(metadata["name"]))


def _set(item: Mapping[str, Any]) -> str:
    """Return the InferenceSet that made a Workspace."""
    return str((item["metadata"].get("labels") or {}).get(_SET) or "")
