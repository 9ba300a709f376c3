"""Data that a destruction loses, as the platform's state lists it."""

from collections.abc import Iterator

from aks_kaito_cli.deploy import states
from aks_kaito_cli.deploy.states import States

_DATA = {
    "azurerm_postgresql_flexible_server": "PostgreSQL server {name}, with every conversation",
    "azurerm_key_vault": "key vault {name}, with its secrets (recoverable for {soft_delete_retention_days} days)",
    "azurerm_container_registry": "registry {name}, with its images",
    "azurerm_storage_account": "storage account {name}, with its blobs",
    "azurerm_log_analytics_workspace": "Log Analytics workspace {name}, with its logs",
    "azurerm_monitor_workspace": "Azure Monitor workspace {name}, with its metrics",
    "azurerm_dashboard_grafana": "Grafana {name}, with dashboards of your own",
    "azurerm_public_ip": "public address {ip_address} ({name})",
}


def lost(found: States) -> Iterator[str]:
    """Yield a line for each resource with data."""
    for kind, text in _DATA.items():
        for attributes in states.managed(found["platform"], kind):
            yield text.format_map(_Known(attributes))


class _Known(dict[str, object]):
    """Attributes of a resource, of which a half-made one lacks some."""

    def __missing__(self, name: str) -> str:
        return f"(no {name})"
