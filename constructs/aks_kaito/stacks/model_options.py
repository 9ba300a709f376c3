"""Optional parts of the platform stack for models and tunings. Each function returns the outputs of what it adds."""

from cdktn import TerraformStack

from aks_kaito import roles
from aks_kaito.charts import tuning_values
from aks_kaito.charts.names import MODEL_STREAMER, REGISTRY_PULL, REGISTRY_PUSH
from aks_kaito.cluster.aks import AksCluster
from aks_kaito.identity import Identity
from aks_kaito.placement import Placement
from aks_kaito.services.model_mirror import ModelMirror
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.services.registry import ContainerRegistry
from aks_kaito.services.storage import StorageAccount
from aks_kaito.settings import Settings

Outputs = dict[str, str]


def add_registry_logins(
    stack: TerraformStack,
    *,
    settings: Settings,
    placement: Placement,
    registry: ContainerRegistry,
    cluster: AksCluster,
) -> Outputs:
    """Define the identities of the Jobs that sign in to the registry: one that pushes, and one that pulls only."""
    outputs = Outputs()
    for purpose, role, service_account, is_needed in (
        ("registry-push", roles.ACR_PUSH, REGISTRY_PUSH, tuning_values.pushes(settings)),
        ("registry-pull", roles.ACR_PULL, REGISTRY_PULL, tuning_values.pulls(settings, placement.names.registry)),
    ):
        if is_needed:
            identity = Identity(stack, f"{purpose}-identity", placement=placement, purpose=purpose)
            identity.trust(
                issuer_url=cluster.oidc_issuer_url,
                namespace=settings.chat.namespace,
                service_account_name=service_account,
            )
            roles.assign(
                stack, f"{purpose}-login", on=registry.resource_id, role=role, principal_id=identity.principal_id
            )
            outputs[f"{purpose.replace('-', '_')}_identity_client_id"] = identity.client_id
    return outputs


def add_model_mirror(
    stack: TerraformStack,
    *,
    settings: Settings,
    placement: Placement,
    access: NetworkAccess,
    storage: StorageAccount,
    cluster: AksCluster,
) -> Outputs:
    """Define the storage of the models' weights, and the identity with which models read it.

    See: https://kaito-project.github.io/kaito/docs/model-mirror-streaming
    """
    if not settings.kaito.model_mirror_enabled:
        return {}
    mirror = ModelMirror(
        stack, "model-mirror", placement=placement, access=access, blob_zone_id=storage.private_zone_id
    )
    streamer = Identity(stack, "model-streamer-identity", placement=placement, purpose="model-streamer")
    streamer.trust(
        issuer_url=cluster.oidc_issuer_url,
        namespace=settings.chat.namespace,
        service_account_name=MODEL_STREAMER,
    )
    roles.assign(
        stack,
        "models-read-weights",
        on=mirror.resource_id,
        role=roles.STORAGE_BLOB_DATA_READER,
        principal_id=streamer.principal_id,
    )
    # The Blob CSI driver adds containers and gets the key with which it mounts them.
    roles.assign(
        stack,
        "cluster-mounts-weights",
        on=mirror.resource_id,
        role=roles.STORAGE_ACCOUNT_CONTRIBUTOR,
        principal_id=cluster.principal_id,
    )
    return {
        "model_storage_account_name": mirror.name,
        "model_streamer_identity_client_id": streamer.client_id,
    }
