"""Rules on tags.

See: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
"""

import re
from collections.abc import Iterator

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule
from aks_kaito.settings.tags import MOST_TAGS, tags_of

# DNS zones, their links and records take fewer tags, with simple names only.
_MOST_DNS_TAGS = 15
_DNS_TAG_NAME = r"[A-Za-z_][-\w.]*"


@rule("tags")
def tags_are_not_too_many(context: Context) -> Iterator[Problem]:
    """A resource has at most 50 tags, ours included."""
    count = len(tags_of(context.environment, context.settings.tags))
    if count > MOST_TAGS:
        allowed = f"must have at most {MOST_TAGS} tags with the tag environment; there are {count}"
        yield Problem("tags", dict(context.settings.tags), allowed)


@rule("tags", "network.private_endpoints_enabled", "postgresql.enabled", "monitoring", "ingress", "model", "models")
def dns_accepts_the_tags(context: Context) -> Iterator[Problem]:
    """DNS zones and records, if there are any, accept the tags."""
    reason = _dns_of(context.settings)
    if reason is None:
        return
    tags = tags_of(context.environment, context.settings.tags)
    if len(tags) > _MOST_DNS_TAGS:
        allowed = f"must have at most {_MOST_DNS_TAGS} tags with the tag environment, because of {reason}"
        yield Problem("tags", dict(context.settings.tags), f"{allowed}; there are {len(tags)}")
    for name, value in tags.items():
        if not re.fullmatch(_DNS_TAG_NAME, name, re.ASCII):
            allowed = f"a tag's name must be letters, digits and _-., no digit first, because of {reason}"
            yield Problem(f"tags.{name}", value, allowed)


def _dns_of(settings: Settings) -> str | None:
    """Return the key because of which there are DNS zones or records, or None."""
    ingress = settings.ingress
    if settings.network.private_endpoints_enabled:
        return "the DNS zones of network.private_endpoints_enabled"
    if settings.postgresql.enabled:
        return "the DNS zone of postgresql.enabled"
    if not settings.monitoring.grafana_public_network_access_enabled:
        return "the DNS zone of monitoring.grafana_public_network_access_enabled = false"
    if ingress.dns_zone_name and ingress.has_static_address and (ingress.hostname or settings.model_hostnames):
        return "the DNS records in ingress.dns_zone_name"
    return None


@rule("tags", "tags_ignored")
def tags_are_set_or_ignored(context: Context) -> Iterator[Problem]:
    """A tag of this file is not ignored at the same time."""
    ours = {name.lower() for name in tags_of(context.environment, context.settings.tags)}
    for name in context.settings.tags_ignored:
        if name.lower() in ours:
            yield Problem("tags_ignored", name, "must not name a tag that this file sets, or the tag environment")
