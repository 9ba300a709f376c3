"""The cluster as Azure's management API shows it: its power, its node pools, and failed operations on them."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError, NotFoundError
from aks_kaito_cli.status.objects import Object, at, line, listed, text, time

# KAITO names a pool after its NodeClaim: the letters ws and nine hexadecimal digits.
_OF_KAITO = re.compile(r"ws[0-9a-f]{6,10}")
_LOOK_BACK = timedelta(hours=24)


@dataclass(frozen=True)
class Pool:
    """A node pool.

    Attributes:
        state: Its provisioning state, such as Creating.
        error: Azure's code and message of the last failure; empty if there is none.
        workspace: The Workspace for which KAITO made it; empty for the environment's own pools.
        by_kaito: Whether KAITO made it.
    """

    name: str
    state: str
    error: str
    workspace: str
    by_kaito: bool
    size: str
    image: str
    power: str


@dataclass(frozen=True)
class Failure:
    """A failed operation on a node pool, from the activity log."""

    pool: str
    text: str
    since: datetime | None


@dataclass(frozen=True)
class AzureCluster:
    """The cluster's resource in Azure.

    Attributes:
        found: None if Azure did not say whether it exists.
        error: The reason for which it is unknown.
        error_of_pools: Likewise for its pools.
    """

    found: bool | None
    error: str = ""
    power: str = ""
    state: str = ""
    failure: str = ""
    version: str = ""
    support_plan: str = ""
    host: str = ""
    pools: tuple[Pool, ...] = ()
    error_of_pools: str = ""

    @property
    def runs(self) -> bool:
        """Whether the API server can be expected to answer."""
        return self.found is not False and self.power != "Stopped" and self.state != "Deleting"


def read(arm: Arm, cluster_id: str) -> AzureCluster:
    """Return the cluster and its pools; an answer that is missing is part of the result."""
    try:
        answer = arm.get(cluster_id)
    except NotFoundError:
        return AzureCluster(found=False)
    except AzureAnswerError as error:
        return AzureCluster(found=None, error=str(error))
    properties = at(answer, "properties")
    pools, error_of_pools = _pools(arm, cluster_id)
    return AzureCluster(
        found=True,
        power=text(properties, "powerState", "code"),
        state=text(properties, "provisioningState"),
        failure=_error(at(properties, "status", "provisioningError")),
        version=text(properties, "currentKubernetesVersion") or text(properties, "kubernetesVersion"),
        support_plan=text(properties, "supportPlan"),
        host=text(properties, "privateFQDN") or text(properties, "fqdn"),
        pools=pools,
        error_of_pools=error_of_pools,
    )


def _pools(arm: Arm, cluster_id: str) -> tuple[tuple[Pool, ...], str]:
    try:
        return tuple(_pool(each) for each in arm.pages(f"{cluster_id}/agentPools")), ""
    except AzureAnswerError as error:
        return (), str(error)


def _pool(answer: Object) -> Pool:
    properties = at(answer, "properties")
    labels = at(properties, "nodeLabels")
    workspace = text(labels, "kaito.sh/workspace")
    name = text(answer, "name")
    return Pool(
        name=name,
        state=text(properties, "provisioningState"),
        error=_error(at(properties, "status", "provisioningError")),
        workspace=workspace,
        by_kaito=bool(workspace) or bool(_OF_KAITO.fullmatch(name)),
        size=text(properties, "vmSize"),
        image=text(properties, "nodeImageVersion"),
        power=text(properties, "powerState", "code"),
    )


def failures(arm: Arm, cluster_id: str, now: datetime) -> list[Failure]:
    """Return failed operations on KAITO's pools of the last day, the newest first.

    Azure refuses a pool before it exists, for quota or by a policy; the activity log alone has the reason then.

    Raises:
        AzureAnswerError: The log cannot be read.
    """
    _, _, rest = cluster_id.partition("/subscriptions/")
    subscription, _, rest = rest.partition("/resourceGroups/")
    group = rest.partition("/")[0]
    began = (now - _LOOK_BACK).strftime("%Y-%m-%dT%H:%M:%SZ")
    path = f"/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    events = arm.pages(path, filter=f"eventTimestamp ge '{began}' and resourceGroupName eq '{group}'")
    found = [_failure(each) for each in events if text(each, "status", "value") == "Failed"]
    return _newest_first(each for each in found if _OF_KAITO.fullmatch(each.pool) and each.text)


def _failure(event: Object) -> Failure:
    pool = text(event, "resourceId").lower().partition("/agentpools/")[2].partition("/")[0]
    return Failure(pool, _status_message(at(event, "properties", "statusMessage")), time(text(event, "eventTimestamp")))


def _newest_first(found: Iterable[Failure]) -> list[Failure]:
    return sorted(found, key=lambda each: each.since.timestamp() if each.since else 0, reverse=True)


def _status_message(value: object) -> str:
    """Return the error in a status message, which is JSON in a text."""
    try:
        body = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return line(str(value))
    return _error(at(body, "error") or body)


def _error(value: object) -> str:
    """Return code and message of an error, and those of its details, on one line."""
    if not isinstance(value, dict):
        return ""
    own = f"{text(value, 'code')}: {text(value, 'message')}".strip(": ")
    details = [found for each in listed(value, "details") if (found := _error(each)) and found not in own]
    return line("; ".join(part for part in (own, *details) if part), 1500)
