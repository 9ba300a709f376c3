"""The `[network]` table: address ranges, NAT and private endpoints."""

from typing import Annotated, Literal

from pydantic import Field

from aks_kaito.settings.addresses import AllowedSources, Cidr
from aks_kaito.settings.fields import Effect, Section, Zones, fixed


class Network(Section):
    """The virtual network and its subnets.

    See: https://learn.microsoft.com/azure/aks/concepts-network-cni-overview
    """

    address_space: Annotated[tuple[Cidr, ...], Field(strict=False, min_length=1)] = ("10.0.0.0/8",)
    """Address ranges of the virtual network, in CIDR notation."""
    system_subnet_cidr: Cidr = fixed("10.240.0.0/16", Effect.REFUSED)
    """Range of the system pool's nodes. Azure reserves five addresses of every subnet."""
    user_subnet_cidr: Cidr = fixed("10.241.0.0/16", Effect.REFUSED)
    """Range of the user pool's nodes."""
    pod_subnet_cidr: Cidr | None = fixed(None, Effect.REFUSED)
    """Range of pods with `cluster.network_plugin_mode = "pod-subnet"`; must not be set in overlay mode."""
    api_server_subnet_cidr: Cidr = fixed("10.243.0.0/27", Effect.REFUSED)
    """Range of the subnet for API server VNet integration, at least a /28; unused while that is off."""
    vm_subnet_cidr: Cidr = fixed("10.243.1.0/24", Effect.REFUSED)
    """Range of the jump box and all private endpoints; it must have an address for each of them."""
    bastion_subnet_cidr: Cidr = fixed("10.243.2.0/24", Effect.REFUSED)
    """Range of the subnet for Azure Bastion, at least a /26; unused while Bastion is off."""
    nat_gateway_idle_timeout_minutes: Annotated[int, Field(ge=4, le=120)] = 4
    """Idle timeout of outbound flows through the NAT gateway, in minutes."""
    nat_gateway_sku: Literal["Standard", "StandardV2"] = fixed("Standard")
    """`Standard` is in one zone: if it fails, no node reaches the internet. `StandardV2` is in all zones, at the same
    price; some regions do not have it. A change replaces the gateway and its address."""
    nat_gateway_zones: Annotated[Zones, Field(max_length=1)] = fixed(("1",))
    """Zone of a `Standard` NAT gateway and its address; if empty, Azure selects it, as it must in regions without
    zones. Unused with `StandardV2`."""
    public_ip_zones: Zones = fixed(("1", "2", "3"), Effect.IGNORED)
    """Availability zones of the addresses of ingress controller and Bastion; empty in regions without zones. An
    address keeps the zones of its creation."""
    private_endpoints_enabled: bool = False
    """Create private endpoints for registry, Key Vault, storage and Azure OpenAI, and disable their public access."""
    public_access_beside_endpoints_enabled: bool = False
    """Keep the public access of these services beside their private endpoints, with the same firewalls as without
    endpoints; requires `private_endpoints_enabled`."""
    allowed_ip_ranges: AllowedSources = ()
    """Public addresses or ranges that can reach Key Vault and storage, in addition to the subnets, while they have
    public access."""

    @property
    def services_are_private(self) -> bool:
        """Whether registry, Key Vault, storage and Azure OpenAI can be reached through private endpoints only."""
        return self.private_endpoints_enabled and not self.public_access_beside_endpoints_enabled
