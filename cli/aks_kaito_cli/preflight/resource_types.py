"""Azure's types of the resources that an environment has, by the settings that define them."""

from collections.abc import Iterator

from aks_kaito.settings import Settings

RESOURCE_GROUP = "Microsoft.Resources/subscriptions/resourceGroups"
PUBLIC_ADDRESS = "Microsoft.Network/publicIPAddresses"
VIRTUAL_MACHINE = "Microsoft.Compute/virtualMachines"
SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"
_ALWAYS = (
    "Microsoft.AlertsManagement/prometheusRuleGroups",
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.Dashboard/grafana",
    "Microsoft.Insights/dataCollectionEndpoints",
    "Microsoft.Insights/dataCollectionRules",
    "Microsoft.KeyVault/vaults",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Monitor/accounts",
    "Microsoft.Network/natGateways",
    "Microsoft.Network/networkSecurityGroups",
    PUBLIC_ADDRESS,
    "Microsoft.Network/virtualNetworks",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Storage/storageAccounts",
)
_BASTION, _INTERFACE = "Microsoft.Network/bastionHosts", "Microsoft.Network/networkInterfaces"
_ENDPOINT = "Microsoft.Network/privateEndpoints"
_OPENAI, _POSTGRESQL = "Microsoft.CognitiveServices/accounts", "Microsoft.DBforPostgreSQL/flexibleServers"
EVERY = (*_ALWAYS, _BASTION, VIRTUAL_MACHINE, _INTERFACE, _OPENAI, _POSTGRESQL, _ENDPOINT)


def of(settings: Settings) -> list[str]:
    """Return the types of the resources with a region of their own, without the resource group."""
    return [*_ALWAYS, *_chosen(settings)]


def public_addresses(settings: Settings) -> int:
    """Return the number of public addresses that the platform defines, or AKS for app routing's NGINX."""
    return 1 + (settings.ingress.mode != "none") + settings.bastion.enabled


def _chosen(settings: Settings) -> Iterator[str]:
    if settings.bastion.enabled:
        yield _BASTION
    if settings.jump_box.enabled:
        yield from (VIRTUAL_MACHINE, _INTERFACE)
    if settings.openai.enabled:
        yield _OPENAI
    if settings.postgresql.enabled:
        yield _POSTGRESQL
    if settings.network.private_endpoints_enabled:
        yield _ENDPOINT
