"""Limits of one cluster, compared with a plan; docs/explanation/sizing.md has their sources."""

import math
from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.settings import Settings
from aks_kaito_cli.answers import Finding
from aks_kaito_cli.sizing.chat_pods import MOST_PODS
from aks_kaito_cli.sizing.plan import Plan, SizedModel

_GROUP = "Limits"
# See: https://learn.microsoft.com/azure/aks/free-standard-pricing-tiers
NODES = {"Free": 1000, "Standard": 5000, "Premium": 5000}
RECOMMENDED_FREE_NODES = 10
# F5's NGINX has 1024 connections for each worker, one worker for each core, and two connections for each page.
# See: https://docs.nginx.com/nginx-ingress-controller/configuration/global-configuration/configmap-resource/
_PAGES_PER_CORE = 512
_NGINX_PODS = 2


def findings(plan: Plan, settings: Settings) -> Iterator[Finding]:
    """Yield what limits the plan, or does not."""
    for each in plan.models:
        yield _speed(each)
    yield from _quota(plan)
    yield _nodes(plan, settings)
    yield _pods(plan, settings)
    yield _gateway(plan, settings)
    yield _database(plan, settings)


def _speed(each: SizedModel) -> Finding:
    subject = f"model {each.gpu.name}"
    if each.found is None:
        text = (
            f"{each.gpu.preset} on {each.gpu.instance_type or 'existing nodes'} has no public figures here, or no room "
            "for a conversation"
        )
        remedy = "measure it, then give --tokens-per-second, --metrics or --kaito-status"
        return Finding(_GROUP, subject, "unknown", text, remedy)
    if not each.found.is_enough:
        text = f"{each.found.replicas} replicas do not give every question its first text and speed in time"
        return Finding(_GROUP, subject, "blocker", text, "a faster GPU, a smaller model, or a lower target")
    if each.found.replicas == 1:
        return Finding(_GROUP, subject, "ok", "1 replica suffices; a second one would answer while it restarts")
    return Finding(_GROUP, subject, "ok", f"{each.found.replicas} replicas suffice")


def _quota(plan: Plan) -> Iterator[Finding]:
    families: dict[str, int | None] = {}
    for each in (found for found in plan.models if found.found and found.gpu.quota_family):
        before, more = families.get(str(each.gpu.quota_family), 0), each.vcpus
        families[str(each.gpu.quota_family)] = None if before is None or more is None else before + more
    for family, vcpus in families.items():
        count = "an unknown number of" if vcpus is None else f"{vcpus}"
        text = f"needs {count} vCPUs; the subscription's quota is not asked here"
        yield Finding(_GROUP, f"quota of {family}", "info", text, "make preflight, with the new numbers")


def _nodes(plan: Plan, settings: Settings) -> Finding:
    gpu = sum((each.gpu.node_count or 0) * each.found.replicas for each in plan.models if each.found)
    nodes = gpu + settings.system_pool.max_count + settings.user_pool.max_count
    tier = settings.cluster.sku_tier
    if nodes > NODES[tier]:
        text = f"{nodes} nodes exceed the {NODES[tier]} of the tier {tier}"
        return Finding(_GROUP, "nodes", "blocker", text, "one environment per region (docs/explanation/sizing.md)")
    if tier == "Free" and nodes >= RECOMMENDED_FREE_NODES:
        text = f"{nodes} nodes at most; AKS recommends the tier Free for fewer than {RECOMMENDED_FREE_NODES}"
        return Finding(_GROUP, "nodes", "warning", text, 'cluster.sku_tier = "Standard"')
    return Finding(_GROUP, "nodes", "ok", f"{nodes} at most, of {NODES[tier]} of the tier {tier}")


def _cores(settings: Settings) -> int | None:
    size = CATALOG.vm_size(settings.user_pool.vm_size)
    return None if size is None else size.vcpus


def _pods(plan: Plan, settings: Settings) -> Finding:
    if plan.pods > MOST_PODS:
        text = f"{plan.pods} pods of the chat exceed the {MOST_PODS} that chat.replicas accepts"
        return Finding(_GROUP, "user nodes", "blocker", text, "one environment per region (docs/explanation/sizing.md)")
    each, pool = _cores(settings), settings.user_pool
    if each is None:
        text = f"{plan.pods} pods of the chat stream on a core each; the cores of {pool.vm_size} are unknown here"
        return Finding(_GROUP, "user nodes", "info", text)
    cores = each * pool.max_count
    if plan.pods > cores:
        text = f"{plan.pods} pods of the chat stream on a core each; {pool.max_count} nodes have {cores}"
        return Finding(_GROUP, "user nodes", "warning", text, f"user_pool.max_count = {math.ceil(plan.pods / each)}")
    return Finding(_GROUP, "user nodes", "ok", f"{plan.pods} pods of the chat, up to {cores} cores")


def _gateway(plan: Plan, settings: Settings) -> Finding:
    pages, mode = plan.assumed.active_users, settings.ingress.mode
    text = f"{pages} pages keep a connection open"
    cores = _cores(settings)
    if mode == "nginx" and cores is not None:
        most = _NGINX_PODS * cores * _PAGES_PER_CORE
        if pages > most:
            text += f"; NGINX takes {most} with {_NGINX_PODS} pods on nodes of {cores} cores"
            return Finding(_GROUP, "gateway", "warning", text, 'ingress.mode = "gateway", which scales by load')
        return Finding(_GROUP, "gateway", "ok", f"{text}; NGINX takes {most}")
    scales = {"gateway": "; the Gateway's pods scale by load", "webapprouting": "; its pods scale by load"}
    return Finding(_GROUP, "gateway", "ok", text + scales.get(mode, ""))


def _database(plan: Plan, settings: Settings) -> Finding:
    if not settings.postgresql.enabled:
        text = f"no history; it would need {plan.connections} connections and {plan.gib_per_year:.1f} GiB per year"
        return Finding(_GROUP, "database", "info", text)
    if plan.sku_name is None or plan.storage_gib is None:
        text = f"no server has {plan.connections} connections and {plan.gib_per_year:.0f} GiB per year"
        return Finding(_GROUP, "database", "blocker", text, "one environment per region (docs/explanation/sizing.md)")
    text = f"{plan.connections} connections at most, {plan.gib_per_year:.1f} GiB of history per year"
    return Finding(_GROUP, "database", "ok", text)
