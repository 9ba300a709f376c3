"""The API version of each resource provider, as requests pass it.

One table, because a version decides the form of the answers that the readers and the tests' recorded answers share.
See: https://learn.microsoft.com/azure/templates/
"""

# Requests without a provider, such as /subscriptions/ID or resource groups.
RESOURCES = "2022-12-01"
VERSIONS = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.CognitiveServices": "2025-06-01",
    "Microsoft.Compute": "2024-07-01",
    "Microsoft.ContainerRegistry": "2025-11-01",
    "Microsoft.ContainerService": "2025-05-01",
    "Microsoft.CostManagement": "2025-03-01",
    "Microsoft.Dashboard": "2025-08-01",
    "Microsoft.DBforPostgreSQL": "2025-08-01",
    "Microsoft.KeyVault": "2023-07-01",
    "Microsoft.Network": "2024-05-01",
    "Microsoft.PolicyInsights": "2024-10-01",
    "Microsoft.Storage": "2025-08-01",
}
# Kinds whose version is not that of their provider.
KINDS = {
    "Microsoft.Authorization/policyAssignments": "2024-04-01",
    "Microsoft.Compute/features": "2021-07-01",
    "Microsoft.Compute/skus": "2021-07-01",
    # Its answers have the error of a pool whose creation failed.
    "Microsoft.ContainerService/managedClusters/agentPools": "2025-10-01",
    "Microsoft.Insights/eventtypes/values": "2015-04-01",
    "Microsoft.Insights/metrics": "2023-10-01",
    "Microsoft.Network/dnsZones": "2018-05-01",
    "Microsoft.Network/dnsZones/all": "2018-05-01",
}


def version_of(path: str) -> str:
    """Return the API version for a path: that of its last provider, or of the kind below it.

    Raises:
        KeyError: The provider has no version here.
    """
    _, found, rest = path.rpartition("/providers/")
    provider, *below = rest.split("/")
    if not (found and below):
        return RESOURCES
    # Types and names alternate, as in vaults/NAME/secrets and in locations/REGION/usages.
    return KINDS.get(f"{provider}/{'/'.join(below[::2])}") or VERSIONS[provider]
