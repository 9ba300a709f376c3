"""Optional parts of the platform stack. Each function returns the outputs of what it adds.

A part that few environments have is imported where it is defined, with its bindings.
"""

from cdktn import TerraformStack
from cdktn_provider_azurerm.resource_group import ResourceGroup

from aks_kaito import roles
from aks_kaito.charts import theirs
from aks_kaito.charts.names import DATABASE_SERVICE_ACCOUNT, GPU_PROVISIONER
from aks_kaito.cluster.aks import AksCluster
from aks_kaito.identity import Identity
from aks_kaito.network.ingress import DnsZone, IngressAddress
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.services.storage import StorageAccount
from aks_kaito.settings import Settings
from aks_kaito.settings.model import DEFAULT

Outputs = dict[str, str]


def add_services(
    stack: TerraformStack,
    *,
    settings: Settings,
    placement: Placement,
    access: NetworkAccess,
    workload_identity: Identity,
    cluster: AksCluster,
) -> Outputs:
    """Define Azure OpenAI, which the chat uses with `workload_identity`, and PostgreSQL with its own administrator."""
    outputs = Outputs()
    if settings.openai.enabled:
        from aks_kaito.services.openai import OpenAi

        openai = OpenAi(
            stack,
            "openai",
            settings=settings.openai,
            placement=placement,
            access=access,
            workload_identity=workload_identity,
        )
        outputs["openai_endpoint"] = openai.endpoint
    if settings.postgresql.enabled:
        from aks_kaito.services.postgresql import PostgreSql

        administrator = Identity(stack, "database-administrator", placement=placement, purpose="database")
        administrator.trust(
            issuer_url=cluster.oidc_issuer_url,
            namespace=settings.chat.namespace,
            service_account_name=DATABASE_SERVICE_ACCOUNT,
        )
        postgresql = PostgreSql(
            stack,
            "postgresql",
            settings=settings.postgresql,
            placement=placement,
            access=access,
            administrator=administrator,
        )
        outputs["postgresql_fqdn"] = postgresql.fqdn
        outputs["postgresql_database_name"] = postgresql.database_name
    return outputs


def add_gpu_provisioner(
    stack: TerraformStack, *, settings: Settings, placement: Placement, cluster: AksCluster
) -> Outputs:
    """Define the identity with which the open-source GPU provisioner adds node pools to this cluster, and to no other.

    See: https://github.com/kaito-project/kaito/blob/v0.12.0/terraform/kaito.tf
    """
    if settings.kaito.installed_provisioner != "gpu-provisioner":
        return {}
    identity = Identity(stack, "gpu-provisioner-identity", placement=placement, purpose="gpu-provisioner")
    identity.trust(
        issuer_url=cluster.oidc_issuer_url,
        namespace=theirs.GPU_PROVISIONER_CHART.namespace,
        service_account_name=GPU_PROVISIONER,
    )
    roles.assign(
        stack,
        "gpu-provisioner-adds-pools",
        on=cluster.resource_id,
        role=roles.CONTRIBUTOR,
        principal_id=identity.principal_id,
    )
    return {"gpu_provisioner_identity_client_id": identity.client_id}


def add_access(
    stack: TerraformStack,
    *,
    settings: Settings,
    placement: Placement,
    network: VirtualNetwork,
    storage: StorageAccount,
) -> Outputs:
    """Define Bastion and the jump box."""
    if settings.bastion.enabled:
        from aks_kaito.access.bastion import Bastion

        Bastion(
            stack,
            "bastion",
            settings=settings.bastion,
            placement=placement,
            zones=settings.network.public_ip_zones,
            network=network,
        )
    if not settings.jump_box.enabled:
        return {}
    from aks_kaito.access.jump_box import JumpBox
    from aks_kaito.monitoring.collection import JumpBoxCollection

    jump_box = JumpBox(
        stack,
        "jump-box",
        settings=settings.jump_box,
        admin_username=settings.cluster.admin_username,
        ssh_public_key=settings.cluster.ssh_public_key,
        placement=placement,
        network=network,
        storage=storage,
    )
    JumpBoxCollection(stack, "jump-box-collection", placement=placement, jump_box=jump_box)
    return {"jump_box_name": jump_box.name}


def add_ingress_address(
    stack: TerraformStack,
    *,
    settings: Settings,
    placement: Placement,
    group: ResourceGroup,
    cluster: AksCluster,
    zone: DnsZone | None,
) -> Outputs:
    """Define the static address of the ingress controller."""
    if not settings.ingress.has_static_address:
        return {}
    address = IngressAddress(
        stack,
        "ingress",
        hostnames=_hostnames(settings),
        placement=placement,
        zones=settings.network.public_ip_zones,
        zone=zone,
        resource_group_resource_id=group.id,
        cluster_principal_id=cluster.principal_id,
    )
    return {"ingress_ip_address": address.ip_address, "ingress_ip_name": address.name}


def _hostnames(settings: Settings) -> dict[str, str]:
    """Return the host names of the chat and the models by the ids of their records, which are addresses."""
    found = {"chat": settings.ingress.hostname} if settings.ingress.hostname is not None else {}
    for name, hostname in settings.model_hostnames.items():
        found["model" if name == DEFAULT else f"model-{name}"] = hostname
    return found


def add_cert_manager(
    stack: TerraformStack, *, settings: Settings, placement: Placement, cluster: AksCluster, zone: DnsZone | None
) -> Outputs:
    """Define the identity with which cert-manager writes the records of `zone`."""
    if zone is None or not settings.workloads.cert_manager_enabled:
        return {}
    cert_manager = Identity(stack, "cert-manager-identity", placement=placement, purpose="cert-manager")
    # See: https://cert-manager.io/docs/configuration/acme/dns01/azuredns/
    cert_manager.trust(
        issuer_url=cluster.oidc_issuer_url,
        namespace=theirs.CERT_MANAGER.namespace,
        service_account_name=theirs.CERT_MANAGER.name,
    )
    zone.let_write("cert-manager-writes", principal_id=cert_manager.principal_id)
    return {"cert_manager_identity_client_id": cert_manager.client_id}


def add_extensions(stack: TerraformStack, *, settings: Settings, cluster: AksCluster) -> None:
    """Define the cluster extensions, which have no outputs."""
    if settings.cluster.dapr_enabled:
        from aks_kaito.cluster.extensions import Dapr

        Dapr(stack, "dapr", cluster=cluster)
    if settings.flux.enabled:
        from aks_kaito.cluster.extensions import Flux

        Flux(stack, "flux", settings=settings.flux, cluster=cluster)
