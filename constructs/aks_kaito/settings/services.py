"""The tables of Azure services: registry, Key Vault, storage, OpenAI, PostgreSQL, Bastion and jump box."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aks_kaito.catalog import CATALOG
from aks_kaito.settings.fields import (
    Effect,
    Location,
    Matching,
    Principals,
    Section,
    VmSize,
    distinct,
    fixed,
)

DeploymentName = Annotated[
    str,
    Matching(r"[A-Za-z0-9][-\w.]{0,63}", "must be 1-64 letters, digits or _-., starting with a letter or digit"),
]


# The sizes that azurerm accepts.
# See: https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-compute
_SIZES = (
    r"B_Standard_B(2s|(1|2|4|8|12|16|20)ms)",
    r"GP_Standard_D(2|4|8|16|32|48|64)(s_v3|ds_v4)",
    r"GP_Standard_D(2|4|8|16|32|48|64|96)(ds_v5|ds_v6|ads_v5)",
    r"GP_Standard_DC(2|4|8|16|32|48|64|96)ads_v5",
    r"MO_Standard_E(2|4|8|16|20|32|48|64)s_v3",
    r"MO_Standard_E(2|4|6|8|16|20|32|48|64)ds_v4",
    r"MO_Standard_E(2|4|8|16|20|32|48|64|96)ds_v5",
    r"MO_Standard_E(2|4|8|16|32|48|64|96)(ds_v6|ads_v5)",
    r"MO_Standard_EC(2|4|8|16|20|32|48|64|96)(ads|as)_v5",
)


def _server_size(value: str) -> str:
    """Return a server size in the spelling of VM sizes."""
    tier, _, size = value.partition("_")
    return f"{tier.upper()}_{CATALOG.spelled(size)}"


ServerSize = Annotated[
    str,
    AfterValidator(_server_size),
    Matching("|".join(_SIZES), "must be a size of flexible servers, such as B_Standard_B1ms or GP_Standard_D2ds_v5"),
]


class Registry(Section):
    """The container registry of the chat's image, without an admin user.

    See: https://learn.microsoft.com/azure/container-registry/container-registry-skus
    """

    sku: Literal["Basic", "Standard", "Premium"] = "Basic"
    """Service tier. Private endpoints, zones and geo-replication require Premium."""
    georeplication_locations: Annotated[tuple[Location, ...], Field(strict=False), AfterValidator(distinct)] = ()
    """Additional regions with replicas of the images; requires Premium."""
    zone_redundancy_enabled: bool = fixed(False)
    """Store images in three zones; requires Premium."""
    untagged_retention_days: Annotated[int, Field(ge=0, le=365)] = 7
    """Retention of untagged manifests, in days; ignored in tiers other than Premium."""


class KeyVault(Section):
    """The Key Vault of the chat's secrets, with RBAC and purge protection.

    See: https://learn.microsoft.com/azure/key-vault/general/overview
    """

    name: (
        Annotated[
            str,
            Matching(
                r"(?=.{3,24}$)[A-Za-z](-?[A-Za-z0-9])+",
                "must be 3-24 letters, digits and single '-', starting with a letter",
            ),
        ]
        | None
    ) = fixed(None)
    """Name of the vault, unique in Azure; by default made from prefix, environment and subscription. Set another one if
    a deleted vault in another region still holds that name."""
    sku_name: Literal["standard", "premium"] = "standard"
    """Service tier. Premium stores keys in hardware security modules."""
    soft_delete_retention_days: Annotated[int, Field(ge=7, le=90)] = fixed(30, Effect.REFUSED)
    """Days in which a deleted vault or secret can be recovered; its name cannot be reused until then."""
    secrets_officer_object_ids: Principals = fixed({})
    """Object ids of Entra ID principals that can write secrets, by names of your choice."""


class Storage(Section):
    """The storage account of the jump box's boot diagnostics, without public blobs.

    See: https://learn.microsoft.com/azure/virtual-machines/boot-diagnostics
    """

    replication_type: Literal["LRS", "GRS", "RAGRS"] = "LRS"
    """Replication of the data; boot diagnostics do not support zone redundancy."""
    shared_access_key_enabled: bool = False
    """Allow account keys, which only the serial console and the portal's view of boot logs need."""


class OpenAiDeployment(Section):
    """A model deployment of Azure OpenAI."""

    model: Annotated[str, Matching(r"[a-z0-9][-\w.]{0,63}", "must be a model's name, such as gpt-4o")] = fixed()
    """Name of the model."""
    version: Annotated[str, Matching(r"[-\w.]{1,32}", 'must be a version, such as "2024-11-20"')] = fixed()
    """Version of the model."""
    sku_name: Literal[
        "Standard",
        "GlobalStandard",
        "DataZoneStandard",
        "ProvisionedManaged",
        "GlobalProvisionedManaged",
        "DataZoneProvisionedManaged",
    ] = fixed("GlobalStandard")
    """Deployment type: regional, data zone or global, standard or provisioned."""
    capacity: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Capacity, in thousands of tokens per minute or in provisioned throughput units."""


class OpenAi(Section):
    """Azure OpenAI, an optional second source of models for the chat.

    See: https://learn.microsoft.com/azure/ai-foundry/openai/overview
    """

    enabled: bool = fixed(False)
    """Create the account and its deployments. Keys are off; the chat authenticates with its managed identity."""
    sku_name: Literal["S0"] = "S0"
    """Pricing tier of the account."""
    deployments: dict[DeploymentName, OpenAiDeployment] = fixed({})
    """Deployments by name, as `[openai.deployments.NAME]`; at least one while the account is enabled."""


class PostgreSql(Section):
    """PostgreSQL for the chat's history, with private access and Entra ID authentication only.

    See: https://learn.microsoft.com/azure/postgresql/flexible-server/overview
    """

    enabled: bool = fixed(False)
    """Create a flexible server, a database, and an identity that administers it and creates the chat's role."""
    sku_name: ServerSize = "B_Standard_B1ms"
    """Compute size: B is burstable, GP general purpose, MO memory optimized."""
    version: Literal["14", "15", "16", "17", "18"] = fixed("17", Effect.LOWER_REFUSED)
    """Major version. Azure upgrades the server in place, with some minutes of downtime."""
    storage_gib: Literal[32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384] = fixed(32, Effect.LOWER_REFUSED)
    """Smallest storage size, in GiB. Azure doubles the disk before it is full; a larger value grows it at once."""
    backup_retention_days: Annotated[int, Field(ge=7, le=35)] = 7
    """Retention of backups for point-in-time restore, in days."""
    geo_redundant_backup_enabled: bool = fixed(False)
    """Copy the backups, and with them the conversations, to the paired region."""
    zone_redundancy_enabled: bool = False
    """Run a standby in another zone; requires a GP or MO size."""


class Bastion(Section):
    """Azure Bastion, for SSH without public addresses.

    See: https://learn.microsoft.com/azure/bastion/bastion-overview
    """

    enabled: bool = fixed(False)
    """Create the Bastion host, its subnet and its public address."""
    sku: Literal["Basic", "Standard", "Premium"] = fixed("Basic")
    """Service tier; a lower one replaces the host. Native client tunnels (`az network bastion tunnel`) require
    Standard or Premium."""


ImageName = Annotated[str, Matching(r"[A-Za-z0-9][-\w.]{0,127}", "must be letters, digits and _-., at most 128")]


class VmImage(Section):
    """A marketplace image."""

    publisher: ImageName = fixed("Canonical")
    """Publisher of the image."""
    offer: ImageName = fixed("ubuntu-24_04-lts")
    """Offer of the image."""
    sku: ImageName = fixed("server")
    """SKU of the image."""
    version: ImageName = fixed("latest")
    """Version of the image."""


class JumpBox(Section):
    """A Linux VM inside the network, which operators reach through Bastion.

    It keeps the SSH key of its creation; `az vm user update` adds another one.

    See: https://learn.microsoft.com/azure/aks/operator-best-practices-network
    """

    enabled: bool = fixed(False)
    """Create the VM, with the Azure Monitor agent."""
    vm_size: VmSize = "Standard_D2ads_v5"
    """VM size."""
    os_disk_storage_account_type: Literal[
        "Premium_LRS", "Premium_ZRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Standard_LRS"
    ] = fixed("Premium_LRS")
    """Type of the operating system disk."""
    accelerated_networking_enabled: bool = True
    """Use accelerated networking, which not every VM size supports."""
    image: VmImage = VmImage()
    """Image of the VM, as `[jump_box.image]`."""
