"""The providers that speak to Azure: azurerm, and azapi for what azurerm lacks."""

from cdktn import AzurermBackend, LocalBackend, TerraformStack
from cdktn_provider_azapi.provider import AzapiProvider
from cdktn_provider_azurerm.provider import (
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesKeyVault,
    AzurermProviderFeaturesResourceGroup,
)

from aks_kaito.settings import Settings

# What the stack's resources need registered; azurerm 5 registers nothing by itself.
# See: https://learn.microsoft.com/azure/azure-resource-manager/management/azure-services-resource-providers
_RESOURCE_PROVIDERS = [
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
]


# State lies beside cdktf.json: the CLIs delete the folder of a stack that a synth no longer makes, and with it
# whatever is inside. Terraform runs in cdktf.out/stacks/NAME, three folders down.
_STATE_FOLDER = "../../.."


def keep_state(stack: TerraformStack, settings: Settings) -> None:
    """Say where the stack's state is: in a file of its name, or in a blob of its name."""
    state, name = settings.state, stack.node.id
    if state.backend == "local":
        LocalBackend(stack, path=f"{_STATE_FOLDER}/terraform.{name}.tfstate")
        return
    AzurermBackend(
        stack,
        resource_group_name=state.resource_group_name,
        storage_account_name=str(state.storage_account_name),
        container_name=state.container_name,
        key=f"{name}.tfstate",
        subscription_id=settings.subscription_id,
        use_azuread_auth=True,
    )


def add(stack: TerraformStack, settings: Settings) -> None:
    """Configure both providers."""
    registered = settings.resource_provider_registration_enabled
    add_azurerm(stack, settings, register=_RESOURCE_PROVIDERS if registered else None)
    AzapiProvider(
        stack,
        "azapi",
        subscription_id=settings.subscription_id,
        # Nothing of its answers is read; left out, the state would keep all of them.
        disable_default_output=True,
    )


def add_azurerm(stack: TerraformStack, settings: Settings, *, register: list[str] | None = None) -> None:
    """Configure azurerm; credentials come from its own variables, never from here."""
    AzurermProvider(
        stack,
        "azurerm",
        subscription_id=settings.subscription_id,
        storage_use_azuread=True,
        resource_provider_registrations="none",
        resource_providers_to_register=register,
        features=[
            AzurermProviderFeatures(
                key_vault=[
                    AzurermProviderFeaturesKeyVault(
                        # Purge protection forbids it anyway; a vault of the same name is taken up again.
                        purge_soft_delete_on_destroy=False,
                        recover_soft_deleted_key_vaults=True,
                    )
                ],
                resource_group=[
                    # AKS and its add-ons leave resources of their own in the group.
                    AzurermProviderFeaturesResourceGroup(prevent_deletion_if_contains_resources=False)
                ],
            )
        ],
    )
