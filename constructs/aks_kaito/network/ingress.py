"""The chat's address: a public IP that outlives controllers, DNS records that lead to it, and who may write records.

See: https://learn.microsoft.com/azure/aks/static-ip
"""

from cdktn_provider_azurerm.data_azurerm_application_gateway import DataAzurermApplicationGateway
from cdktn_provider_azurerm.data_azurerm_dns_zone import DataAzurermDnsZone
from cdktn_provider_azurerm.dns_a_record import DnsARecord
from constructs import Construct

from aks_kaito import roles
from aks_kaito.network.virtual_network import public_ip
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings

_RECORD_TTL_SECONDS = 300
_APEX = "@"


class DnsZone(Construct):
    """Looks up the public DNS zone that the settings name.

    Public attributes: `resource_id`, `name`, `resource_group_name`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, resource_group_name: str) -> None:
        """Find a zone that exists already; it belongs to somebody else."""
        super().__init__(scope, construct_id)
        zone = DataAzurermDnsZone(self, "Resource", name=name, resource_group_name=resource_group_name)
        self.resource_id: str = zone.id
        self.name = name
        self.resource_group_name = resource_group_name

    def let_write(self, construct_id: str, *, principal_id: str) -> None:
        """Grant a principal the right to change records of this zone."""
        roles.assign(
            self,
            construct_id,
            on=self.resource_id,
            role=roles.DNS_ZONE_CONTRIBUTOR,
            principal_id=principal_id,
        )


class IngressAddress(Construct):
    """Defines the static address of the ingress controller and the records of the host names.

    Public attributes: `ip_address` and `name` of the public IP.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        placement: Placement,
        zone: DnsZone | None,
        resource_group_resource_id: str,
        cluster_principal_id: str,
    ) -> None:
        """Define the address; the cluster may find it in its group, and attach it to its load balancer."""
        super().__init__(scope, construct_id)
        address = public_ip(
            self,
            "Resource",
            placement=placement,
            name=placement.names.of("pip", "ingress"),
            zones=list(settings.system_pool.zones),
        )
        # The address lies outside the node resource group, where the cluster has no rights of its own.
        roles.assign(
            self,
            "cluster-uses-address",
            on=address.id,
            role=roles.NETWORK_CONTRIBUTOR,
            principal_id=cluster_principal_id,
        )
        # To find it by its name, AKS lists all addresses of the group.
        roles.assign(
            self,
            "cluster-finds-address",
            on=resource_group_resource_id,
            role=roles.READER,
            principal_id=cluster_principal_id,
        )
        hostnames = {"chat": settings.ingress.hostname, "model": settings.ingress.model_hostname}
        for what, hostname in hostnames.items():
            if zone is not None and hostname is not None:
                DnsARecord(
                    self,
                    f"{what}-record",
                    name=hostname.removesuffix(zone.name).rstrip(".") or _APEX,
                    zone_name=zone.name,
                    resource_group_name=zone.resource_group_name,
                    ttl=_RECORD_TTL_SECONDS,
                    records=[address.ip_address],
                    tags=placement.tags,
                )
        self.ip_address: str = address.ip_address
        self.name: str = address.name


def grant_gateway(scope: Construct, *, settings: Settings, principal_id: str | None) -> None:
    """Let AGIC, if it is on, change the gateway that it is given, join its subnet and read the group around it.

    The gateway is one of the same subscription.

    See: https://learn.microsoft.com/azure/application-gateway/tutorial-ingress-controller-add-on-existing
    """
    gateway_id = settings.cluster.application_gateway_resource_id
    if gateway_id is None or principal_id is None:
        return
    group_id, _, path = gateway_id.partition("/providers/")
    gateway = DataAzurermApplicationGateway(
        scope,
        "application-gateway",
        name=path.rpartition("/")[2],
        resource_group_name=group_id.rpartition("/")[2],
    )
    subnet_id = gateway.gateway_ip_configuration.get(0).subnet_id
    for construct_id, on, role in (
        ("agic-changes-gateway", gateway_id, roles.CONTRIBUTOR),
        ("agic-joins-subnet", subnet_id, roles.NETWORK_CONTRIBUTOR),
        ("agic-reads-group", group_id, roles.READER),
    ):
        roles.assign(scope, construct_id, on=on, role=role, principal_id=principal_id)
