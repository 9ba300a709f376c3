"""Azure providers, azurerm and azapi, and the state backend of a stack."""

from cdktn import AzurermBackend, LocalBackend, TerraformStack
from cdktn_provider_azapi.provider import AzapiProvider
from cdktn_provider_azurerm.provider import (
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesKeyVault,
    AzurermProviderFeaturesResourceGroup,
)

from aks_kaito import state
from aks_kaito.resource_providers import RESOURCE_PROVIDERS
from aks_kaito.settings import Environment

# State files are beside cdktf.json, because the CDK CLIs delete the folder of a stack that a synthesis does not write.
# Terraform runs in cdktf.out/stacks/NAME, three folders down.
_STATE_FOLDER = "../../.."


# `removed`, with which the platform stack forgets a resource without destroying it, exists since 1.7.
_TERRAFORM_VERSIONS = ">= 1.7"


def require_terraform(stack: TerraformStack) -> None:
    """Refuse versions of Terraform that lack features of the stacks."""
    stack.add_override("terraform.required_version", _TERRAFORM_VERSIONS)


def keep_state(stack: TerraformStack, environment: Environment, part: state.Part) -> None:
    """Configure the backend: a local file or a blob."""
    if environment.settings.state.backend == "local":
        LocalBackend(stack, path=f"{_STATE_FOLDER}/{state.file_name(environment, part)}")
    else:
        AzurermBackend(stack, **state.blob(environment, part))


def add(stack: TerraformStack, subscription_id: str | None, *, register_resource_providers: bool) -> None:
    """Configure both providers."""
    add_azurerm(stack, subscription_id, register=list(RESOURCE_PROVIDERS) if register_resource_providers else None)
    AzapiProvider(
        stack,
        "azapi",
        subscription_id=subscription_id,
        # By default, the state would contain every response, and no output is used.
        disable_default_output=True,
    )


def add_azurerm(stack: TerraformStack, subscription_id: str | None, *, register: list[str] | None = None) -> None:
    """Configure azurerm; credentials come from its `ARM_*` variables or the Azure CLI, never from settings."""
    AzurermProvider(
        stack,
        "azurerm",
        subscription_id=subscription_id,
        storage_use_azuread=True,
        resource_provider_registrations="none",
        resource_providers_to_register=register,
        features=[
            AzurermProviderFeatures(
                key_vault=[
                    AzurermProviderFeaturesKeyVault(
                        # Purge protection forbids purging; a deleted vault of the same name is recovered.
                        purge_soft_delete_on_destroy=False,
                        recover_soft_deleted_key_vaults=True,
                    )
                ],
                resource_group=[
                    # AKS and its add-ons create resources in the group that Terraform does not manage.
                    AzurermProviderFeaturesResourceGroup(prevent_deletion_if_contains_resources=False)
                ],
            )
        ],
    )
