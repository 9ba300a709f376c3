"""The `[network]` table: address ranges, NAT and whether services are reached privately."""

from typing import Annotated

from pydantic import Field

from aks_kaito.settings.fields import AllowedSources, Cidr, Section, Zones, fixed


class Network(Section):
    """The virtual network and its subnets.

    See: https://learn.microsoft.com/azure/aks/concepts-network-cni-overview
    """

    address_space: Annotated[tuple[Cidr, ...], Field(strict=False, min_length=1)] = ("10.0.0.0/8",)
    """Address ranges of the virtual network, in CIDR notation."""
    system_subnet_cidr: Cidr = fixed("10.240.0.0/16")
    """Nodes of the system pool. Azure keeps five addresses of every subnet."""
    user_subnet_cidr: Cidr = fixed("10.241.0.0/16")
    """Nodes of the user pool."""
    pod_subnet_cidr: Cidr | None = fixed(None)
    """Pods, with `cluster.network_plugin_mode = "pod-subnet"`; must be left out in overlay mode."""
    api_server_subnet_cidr: Cidr = fixed("10.243.0.0/27")
    """API server VNet integration: at least a /28, delegated to AKS. Only defined while that is on."""
    vm_subnet_cidr: Cidr = "10.243.1.0/24"
    """The jump box and all private endpoints."""
    bastion_subnet_cidr: Cidr = "10.243.2.0/24"
    """Azure Bastion: at least a /26. Only defined while Bastion is on."""
    nat_gateway_idle_timeout_minutes: Annotated[int, Field(ge=4, le=120)] = 4
    """Minutes after which the NAT gateway drops an idle outbound flow."""
    nat_gateway_zones: Annotated[Zones, Field(max_length=1)] = fixed(("1",))
    """The one zone of the NAT gateway and its address; empty lets Azure choose."""
    private_endpoints_enabled: bool = False
    """Registry, Key Vault, storage and Azure OpenAI get a private endpoint each and lose their public access."""
    allowed_ip_ranges: AllowedSources = ()
    """Public addresses that may reach Key Vault and storage while private endpoints are off, besides the subnets."""
