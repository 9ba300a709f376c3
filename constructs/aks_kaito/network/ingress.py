"""Public address and DNS records of the ingress controller.

The address does not belong to a controller, so it stays the same when the controller is replaced.

See: https://learn.microsoft.com/azure/aks/static-ip
"""

from collections.abc import Mapping, Sequence

from cdktn_provider_azurerm.data_azurerm_dns_zone import DataAzurermDnsZone
from cdktn_provider_azurerm.dns_a_record import DnsARecord
from constructs import Construct

from aks_kaito import protection, roles
from aks_kaito.network.public_ip import public_ip
from aks_kaito.placement import Placement

_RECORD_TTL_SECONDS = 300
_APEX = "@"


class DnsZone(Construct):
    """Existing public DNS zone, looked up by name.

    Public attributes: `resource_id`, `name`, `resource_group_name`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, resource_group_name: str) -> None:
        """Look up the zone; Terraform does not manage it."""
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
    """Static address of the ingress controller and the DNS records of the host names.

    Public attributes: `ip_address` and `name` of the public IP.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        hostnames: Mapping[str, str],
        placement: Placement,
        zones: Sequence[str],
        zone: DnsZone | None,
        resource_group_resource_id: str,
        cluster_principal_id: str,
    ) -> None:
        """Define the address, let the cluster attach it, and define the records; `hostnames` is by their ids."""
        super().__init__(scope, construct_id)
        address = public_ip(
            self,
            "Resource",
            placement=placement,
            name=placement.names.of("pip", "ingress"),
            zones=zones,
            lifecycle=protection.lifecycle(self, ignore_changes=["zones"]),
        )
        # The cluster has no rights by default outside its node resource group.
        roles.assign(
            self,
            "cluster-uses-address",
            on=address.id,
            role=roles.NETWORK_CONTRIBUTOR,
            principal_id=cluster_principal_id,
        )
        # AKS lists all addresses of the group to find one by its name.
        roles.assign(
            self,
            "cluster-finds-address",
            on=resource_group_resource_id,
            role=roles.READER,
            principal_id=cluster_principal_id,
        )
        for key, hostname in hostnames.items():
            if zone is not None:
                DnsARecord(
                    self,
                    f"{key}-record",
                    name=hostname.removesuffix(zone.name).rstrip(".") or _APEX,
                    zone_name=zone.name,
                    resource_group_name=zone.resource_group_name,
                    ttl=_RECORD_TTL_SECONDS,
                    records=[address.ip_address],
                    tags=placement.tags,
                )
        self.ip_address: str = address.ip_address
        self.name: str = address.name
