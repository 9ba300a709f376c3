"""Azure's resource providers that the platform needs.

azurerm 5 registers none by default.
See: https://learn.microsoft.com/azure/azure-resource-manager/management/azure-services-resource-providers
"""

RESOURCE_PROVIDERS = (
    "Microsoft.AlertsManagement",
    "Microsoft.CognitiveServices",
    "Microsoft.Compute",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.DBforPostgreSQL",
    "Microsoft.Dashboard",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.KubernetesConfiguration",
    "Microsoft.ManagedIdentity",
    "Microsoft.Monitor",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.PolicyInsights",
    "Microsoft.Storage",
)
