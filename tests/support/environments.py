"""Environments with changed settings, derived from the shipped ones."""

from typing import Any

from aks_kaito.settings import Environment, Settings
from support.rendered import ID
from support.stacks import synthesized

# Settings that enable every optional part of both stacks.
EVERYTHING: dict[str, dict[str, Any]] = {
    "chat": {"sign_in": "entra", "entra_client_id": ID},
    "ingress": {
        "hostname": "chat.contoso.com",
        "dns_zone_name": "contoso.com",
        "dns_zone_resource_group_name": "dns",
        "model_hostname": "model.contoso.com",
        "model_basic_auth_secret_name": "model-people",
    },
    "monitoring": {"alert_email_addresses": {"someone": "someone@contoso.com"}, "gpu_exporter_enabled": True},
    "openai": {"enabled": True, "deployments": {"chat": {"model": "gpt-4o", "version": "2024-11-20"}}},
    "postgresql": {"enabled": True},
    "workloads": {"kube_prometheus_stack_enabled": True},
}


def altered(environment: Environment, **tables: dict[str, Any]) -> Environment:
    """Return an environment with some keys of some tables changed."""
    data = environment.settings.model_dump(mode="json", exclude_none=True)
    for table, keys in tables.items():
        data[table] |= keys
    return Environment(environment.name, Settings.model_validate(data))


def changed(environments: dict[str, Environment], **tables: dict[str, Any]) -> dict[str, Any]:
    """Return the platform stack of dev with some keys of some tables changed."""
    return synthesized(altered(environments["dev"], **tables))
