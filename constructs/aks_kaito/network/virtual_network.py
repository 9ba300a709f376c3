"""The virtual network: subnets with their security groups, and NAT for everything that leaves.

Only what is delegated to a service goes without NAT: the API server's subnet and Bastion's have their own way out.

See: https://learn.microsoft.com/azure/aks/concepts-network
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cdktn import ITerraformDependable
from cdktn_provider_azurerm.nat_gateway import NatGateway
from cdktn_provider_azurerm.nat_gateway_public_ip_association import NatGatewayPublicIpAssociation
from cdktn_provider_azurerm.network_security_group import NetworkSecurityGroup
from cdktn_provider_azurerm.public_ip import PublicIp
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
from aks_kaito.network import security_rules
from aks_kaito.network.security_rules import Rule
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings

# The one name that Bastion accepts.
# See: https://learn.microsoft.com/azure/bastion/configuration-settings#subnet
_BASTION_SUBNET_NAME = "AzureBastionSubnet"
_PUBLIC_IP_LOGS = ("DDoSProtectionNotifications", "DDoSMitigationFlowLogs", "DDoSMitigationReports")
_NSG_LOGS = ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter")
_SERVICE_ENDPOINTS = ("Microsoft.KeyVault", "Microsoft.Storage")


def public_ip(
    scope: Construct, construct_id: str, *, placement: Placement, name: str, zones: Sequence[str]
) -> PublicIp:
    """Define a static Standard address and send its DDoS logs to Log Analytics."""
    address = PublicIp(
        scope,
        construct_id,
        name=name,
        allocation_method="Static",
        sku="Standard",
        zones=list(zones) or None,
        **placement.arguments,
    )
    diagnostics.send(
        scope,
        construct_id=f"{construct_id}Diagnostics",
        target_resource_id=address.id,
        workspace_resource_id=placement.workspace_resource_id,
        logs=_PUBLIC_IP_LOGS,
        metrics=True,
    )
    return address


@dataclass(frozen=True)
class _Plan:
    """What one subnet is to be."""

    key: str
    cidr: str
    nat: bool = True
    rules: Sequence[Rule] | None = None
    delegated: bool = False
    service_endpoints: bool = False
    name: str | None = None


class VirtualNetwork(Construct):
    """Defines the virtual network, its subnets, their security groups and the NAT gateway.

    Public attributes: `resource_id`; `system_subnet_id`, `user_subnet_id`, `vm_subnet_id`; `pod_subnet_id`,
    `api_server_subnet_id` and `bastion_subnet_id`, None while their feature is off; `node_subnet_ids`, those that
    the cluster's identity must join; `trusted_subnet_ids`, those with service endpoints; `outbound`, what must
    exist before nodes can reach the internet.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, placement: Placement) -> None:
        """Define the network that `settings` describe."""
        super().__init__(scope, construct_id)
        self._placement = placement
        self._network = AzureVirtualNetwork(
            self,
            "Resource",
            name=placement.names.of("vnet"),
            address_space=list(settings.network.address_space),
            **placement.arguments,
        )
        diagnostics.send(
            self,
            target_resource_id=self._network.id,
            workspace_resource_id=placement.workspace_resource_id,
            logs=["VMProtectionAlerts"],
            metrics=True,
        )
        gateway = self._add_nat_gateway(settings)
        plans = _plans(settings)
        subnets = {plan.key: self._add_subnet(plan) for plan in plans}
        self.outbound: list[ITerraformDependable] = [
            self._gateway_address,
            *(self._add_nat(plan.key, subnets[plan.key], gateway) for plan in plans if plan.nat),
        ]
        ids = {key: subnet.id for key, subnet in subnets.items()}
        self.resource_id: str = self._network.id
        self.system_subnet_id: str = ids["system"]
        self.user_subnet_id: str = ids["user"]
        self.vm_subnet_id: str = ids["vm"]
        self.pod_subnet_id: str | None = ids.get("pod")
        self.api_server_subnet_id: str | None = ids.get("api-server")
        self.bastion_subnet_id: str | None = ids.get("bastion")
        self.node_subnet_ids = {key: ids[key] for key in ("system", "user", "pod", "api-server") if key in ids}
        self.trusted_subnet_ids = [ids[plan.key] for plan in plans if plan.service_endpoints]

    def _add_nat_gateway(self, settings: Settings) -> NatGateway:
        placement = self._placement
        zones = list(settings.network.nat_gateway_zones)
        gateway = NatGateway(
            self,
            "nat-gateway",
            name=placement.names.of("ng"),
            sku_name="Standard",
            idle_timeout_in_minutes=settings.network.nat_gateway_idle_timeout_minutes,
            zones=list(zones) or None,
            **placement.arguments,
        )
        address = public_ip(
            self, "nat-gateway-ip", placement=placement, name=placement.names.of("pip", "nat"), zones=zones
        )
        self.outbound_ip_address: str = address.ip_address
        self._gateway_address = NatGatewayPublicIpAssociation(
            self, "nat-gateway-address", nat_gateway_id=gateway.id, public_ip_address_id=address.id
        )
        return gateway

    def _add_subnet(self, plan: _Plan) -> Subnet:
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
            workspace_resource_id=placement.workspace_resource_id,
            logs=_NSG_LOGS,
        )

    def _add_nat(self, key: str, subnet: Subnet, gateway: NatGateway) -> SubnetNatGatewayAssociation:
        return SubnetNatGatewayAssociation(self, f"{key}-nat", subnet_id=subnet.id, nat_gateway_id=gateway.id)


def _aks_delegation() -> SubnetDelegation:
    """See: https://learn.microsoft.com/azure/aks/api-server-vnet-integration ."""
    return SubnetDelegation(
        name="aks",
        service_delegation=SubnetDelegationServiceDelegation(
            name="Microsoft.ContainerService/managedClusters",
            actions=["Microsoft.Network/virtualNetworks/subnets/join/action"],
        ),
    )


def _plans(settings: Settings) -> list[_Plan]:
    """The subnets that the settings ask for, in the order of their ranges."""
    network, cluster = settings.network, settings.cluster
    # Where services have public addresses, these subnets reach them by service endpoints.
    trusted = not network.private_endpoints_enabled
    web = security_rules.web(published=settings.ingress.mode != "none")
    plans = [
        _Plan("system", network.system_subnet_cidr, rules=web, service_endpoints=trusted),
        _Plan("user", network.user_subnet_cidr, rules=web, service_endpoints=trusted),
    ]
    if network.pod_subnet_cidr is not None:
        plans.append(_Plan("pod", network.pod_subnet_cidr, rules=web, delegated=True, service_endpoints=trusted))
    if cluster.api_server_vnet_integration_enabled:
        # AKS manages what reaches the API server; a security group of ours could only cut nodes off from it.
        plans.append(_Plan("api-server", network.api_server_subnet_cidr, nat=False, delegated=True))
    ssh = security_rules.ssh_from(network.bastion_subnet_cidr if settings.bastion.enabled else None)
    plans.append(_Plan("vm", network.vm_subnet_cidr, rules=ssh, service_endpoints=trusted))
    if settings.bastion.enabled:
        plans.append(
            _Plan(
                "bastion",
                network.bastion_subnet_cidr,
                nat=False,
                rules=security_rules.BASTION,
                name=_BASTION_SUBNET_NAME,
            )
        )
    return plans
