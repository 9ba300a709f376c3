"""Static public IP addresses.

See: https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses
"""

from collections.abc import Sequence
from typing import Literal

from cdktn import TerraformResourceLifecycle
from cdktn_provider_azurerm.public_ip import PublicIp
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.placement import Placement

Sku = Literal["Standard", "StandardV2"]
_LOGS = ("DDoSProtectionNotifications", "DDoSMitigationFlowLogs", "DDoSMitigationReports")


def public_ip(
    scope: Construct,
    construct_id: str,
    *,
    placement: Placement,
    name: str,
    zones: Sequence[str],
    sku: Sku = "Standard",
    lifecycle: TerraformResourceLifecycle | None = None,
) -> PublicIp:
    """Define a static address and send its DDoS logs to Log Analytics."""
    address = PublicIp(
        scope,
        construct_id,
        name=name,
        allocation_method="Static",
        sku=sku,
        zones=list(zones) or None,
        lifecycle=lifecycle,
        **placement.arguments,
    )
    diagnostics.send(
        scope,
        construct_id=f"{construct_id}Diagnostics",
        placement=placement,
        target_resource_id=address.id,
        logs=_LOGS,
        metrics=True,
    )
    return address
