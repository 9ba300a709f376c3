"""The resources that Azure bills by the hour, by environment, from the synthesized stacks and the settings.

Prices are left out: they depend on the region, the currency and the contract.
See: https://azure.microsoft.com/pricing/calculator/
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from aks_kaito.models import Served, copies
from aks_kaito.review import kinds
from aks_kaito.review.diagram import pool_size
from aks_kaito.review.documents import Document, block, type_of
from aks_kaito.settings import Environment

_NOTHING = "—"
_UNKNOWN = "?"


def rows(environments: Sequence[Environment], stacks: Mapping[str, Document]) -> list[list[str]]:
    """Return a row for each resource billed by the hour, with a cell per environment; `stacks` is by environment."""
    documents = [stacks[environment.name] for environment in environments]
    found = [
        ["AKS tier", *(_tier(document) for document in documents)],
        ["system nodes", *(_system_nodes(document) for document in documents)],
        ["user nodes", *(_user_nodes(document) for document in documents)],
        ["GPU nodes, while a Workspace exists", *(_gpu_nodes(environment) for environment in environments)],
    ]
    for terraform_type in sorted(kinds.known()):
        kind = kinds.kind(terraform_type)
        counts = [len(document.of_type(terraform_type)) for document in documents]
        if kind.hourly is not None and type_of(terraform_type) not in _NODES and any(counts):
            label = f"{kind.noun} ({kind.hourly})" if kind.hourly else kind.noun
            cells = [_sized(terraform_type, document) for document in documents]
            found.append([label, *cells])
    return found


_NODES = ("azurerm_kubernetes_cluster", "azurerm_kubernetes_cluster_node_pool")


def _tier(document: Document) -> str:
    tiers = [str(cluster.get("sku_tier")) for cluster in document.of_type("azurerm_kubernetes_cluster").values()]
    return ", ".join("Free: nothing" if tier == "Free" else tier for tier in tiers)


def _system_nodes(document: Document) -> str:
    clusters = document.of_type("azurerm_kubernetes_cluster").values()
    return ", ".join(pool_size(block(cluster, "default_node_pool")) for cluster in clusters)


def _user_nodes(document: Document) -> str:
    pools = document.of_type("azurerm_kubernetes_cluster_node_pool").values()
    return ", ".join(pool_size(pool) for pool in pools) or _NOTHING


def _gpu_nodes(environment: Environment) -> str:
    settings = environment.settings
    if not settings.kaito.enabled:
        return _NOTHING
    served = [each for model in settings.all_models.values() for each in (model, model.standby()) if each is not None]
    created = [_nodes_of(model, settings.kaito.version) for model in served if model.instance_type]
    created += [f"1 × {tuning.instance_type}" for tuning in settings.running_tunings.values()]
    return ", ".join(created) or _NOTHING


def _nodes_of(model: Served, version: str) -> str:
    """Return the nodes that KAITO creates for all copies of one model."""
    nodes = copies.nodes(model, version)
    return f"{_UNKNOWN if nodes is None else nodes} × {model.instance_type}"


def _sized(terraform_type: str, document: Document) -> str:
    """Return the number of resources, with the sizes that have prices of their own."""
    found = document.of_type(terraform_type).values()
    if not found:
        return _NOTHING
    sizes = Counter(str(one.get("sku_name") or one.get("size") or one.get("sku") or "") for one in found)
    return ", ".join(f"{number} × {size}" if size else str(number) for size, number in sorted(sizes.items()))
