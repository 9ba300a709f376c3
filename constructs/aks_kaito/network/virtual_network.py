"""Virtual network with its subnets, their security groups and a NAT gateway for outbound traffic.

The subnets of the API server and of Bastion are not behind the NAT gateway: both services bring their own egress.

See: https://learn.microsoft.com/azure/aks/concepts-network
"""

from collections.abc import Sequence

from cdktn import ITerraformDependable, TerraformResourceLifecycle
from cdktn_provider_azurerm.nat_gateway import NatGateway
from cdktn_provider_azurerm.nat_gateway_public_ip_association import NatGatewayPublicIpAssociation
from cdktn_provider_azurerm.network_security_group import NetworkSecurityGroup
from cdktn_provider_azurerm.subnet import (
    Subnet,
    SubnetDelegation,
    SubnetDelegationServiceDelegation,
    SubnetServiceEndpoint,
)
from cdktn_provider_azurerm.subnet_nat_gateway_association import SubnetNatGatewayAssociation
from cdktn_provider_azurerm.subnet_network_security_group_association import (
    SubnetNetworkSecurityGroupAssociation,
)
from cdktn_provider_azurerm.virtual_network import VirtualNetwork as AzureVirtualNetwork
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.network import security_rules, subnets
from aks_kaito.network.public_ip import Sku, public_ip
from aks_kaito.network.security_rules import Rule
from aks_kaito.network.subnets import Features, Plan
from aks_kaito.placement import Placement
from aks_kaito.settings.network import Network

_NSG_LOGS = ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter")
_SERVICE_ENDPOINTS = ("Microsoft.KeyVault", "Microsoft.Storage")


class VirtualNetwork(Construct):
    """Virtual network, its subnets, their security groups and the NAT gateway.

    Public attributes: `resource_id`; `system_subnet_id`, `user_subnet_id`, `vm_subnet_id`; `pod_subnet_id`,
    `api_server_subnet_id` and `bastion_subnet_id`, None while their feature is off; `node_subnet_ids`, which the
    cluster's identity must join; `trusted_subnet_ids`, which have service endpoints; `outbound`, the resources that
    nodes need to reach the internet; `outbound_ip_address`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Network,
        placement: Placement,
        features: Features,
    ) -> None:
        """Define the network and the subnets that `features` need."""
        super().__init__(scope, construct_id)
        self._placement = placement
        self._network = AzureVirtualNetwork(
            self,
            "Resource",
            name=placement.names.of("vnet"),
            address_space=list(settings.address_space),
            **placement.arguments,
        )
        diagnostics.send(
            self,
            target_resource_id=self._network.id,
            placement=placement,
            logs=["VMProtectionAlerts"],
            metrics=True,
        )
        gateway = self._add_nat_gateway(settings)
        plans = subnets.plans(settings, features)
        defined = {plan.key: self._add_subnet(plan) for plan in plans}
        self.outbound: list[ITerraformDependable] = [
            self._gateway_address,
            *(self._add_nat(plan.key, defined[plan.key], gateway) for plan in plans if plan.nat),
        ]
        ids = {key: subnet.id for key, subnet in defined.items()}
        self.resource_id: str = self._network.id
        self.system_subnet_id: str = ids["system"]
        self.user_subnet_id: str = ids["user"]
        self.vm_subnet_id: str = ids["vm"]
        self.pod_subnet_id: str | None = ids.get("pod")
        self.api_server_subnet_id: str | None = ids.get("api-server")
        self.bastion_subnet_id: str | None = ids.get("bastion")
        self.node_subnet_ids = {key: ids[key] for key in ("system", "user", "pod", "api-server") if key in ids}
        self.trusted_subnet_ids = [ids[plan.key] for plan in plans if plan.service_endpoints]

    def _add_nat_gateway(self, settings: Network) -> NatGateway:
        """Define the gateway and its address, which has the gateway's SKU. Only a Standard gateway has a zone.

        With StandardV2 both have other names: a change that Azure refuses leaves the old ones, and so the old address.
        """
        placement, sku = self._placement, settings.nat_gateway_sku
        zones = list(settings.nat_gateway_zones) if sku == "Standard" else []
        name, address_name = ("", "nat") if sku == "Standard" else ("v2", "nat-v2")
        gateway = NatGateway(
            self,
            "nat-gateway",
            name=placement.names.of("ng", name),
            sku_name=sku,
            idle_timeout_in_minutes=settings.nat_gateway_idle_timeout_minutes,
            zones=list(zones) or None,
            lifecycle=_created_first(sku),
            **placement.arguments,
        )
        address = public_ip(
            self,
            "nat-gateway-ip",
            placement=placement,
            name=placement.names.of("pip", address_name),
            zones=zones,
            sku=sku,
            lifecycle=_created_first(sku),
        )
        self.outbound_ip_address: str = address.ip_address
        self._gateway_address = NatGatewayPublicIpAssociation(
            self, "nat-gateway-address", nat_gateway_id=gateway.id, public_ip_address_id=address.id
        )
        return gateway

    def _add_subnet(self, plan: Plan) -> Subnet:
        placement = self._placement
        subnet = Subnet(
            self,
            f"{plan.key}-subnet",
            name=plan.name or placement.names.of("snet", plan.key),
            resource_group_name=placement.resource_group_name,
            virtual_network_name=self._network.name,
            address_prefixes=[plan.cidr],
            default_outbound_access_enabled=False,
            # Security groups apply to private endpoints in the subnet too.
            private_endpoint_network_policies="Enabled",
            service_endpoint=[SubnetServiceEndpoint(service=service) for service in _SERVICE_ENDPOINTS]
            if plan.service_endpoints
            else None,
            delegation=[_aks_delegation()] if plan.delegated else None,
        )
        if plan.rules is not None:
            self._add_security_group(plan.key, plan.rules, subnet)
        return subnet

    def _add_security_group(self, key: str, rules: Sequence[Rule], subnet: Subnet) -> None:
        placement = self._placement
        group = NetworkSecurityGroup(
            self,
            f"{key}-nsg",
            name=placement.names.of("nsg", key),
            security_rule=security_rules.in_order(rules),
            **placement.arguments,
        )
        SubnetNetworkSecurityGroupAssociation(
            self, f"{key}-nsg-association", subnet_id=subnet.id, network_security_group_id=group.id
        )
        diagnostics.send(
            self,
            construct_id=f"{key}-nsg-diagnostics",
            target_resource_id=group.id,
            placement=placement,
            logs=_NSG_LOGS,
        )

    def _add_nat(self, key: str, subnet: Subnet, gateway: NatGateway) -> SubnetNatGatewayAssociation:
        return SubnetNatGatewayAssociation(self, f"{key}-nat", subnet_id=subnet.id, nat_gateway_id=gateway.id)


def _created_first(sku: Sku) -> TerraformResourceLifecycle | None:
    """Return the lifecycle of a StandardV2 resource, which is created before a Standard one is deleted."""
    return TerraformResourceLifecycle(create_before_destroy=True) if sku == "StandardV2" else None


def _aks_delegation() -> SubnetDelegation:
    """See: https://learn.microsoft.com/azure/aks/api-server-vnet-integration ."""
    return SubnetDelegation(
        name="aks",
        service_delegation=SubnetDelegationServiceDelegation(
            name="Microsoft.ContainerService/managedClusters",
            actions=["Microsoft.Network/virtualNetworks/subnets/join/action"],
        ),
    )
