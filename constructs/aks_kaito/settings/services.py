"""The tables of the services around the cluster: registry, vault, storage, OpenAI, PostgreSQL, ways in."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aks_kaito.settings.fields import (
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


class Registry(Section):
    """The container registry of the chat's image; its admin user is always off.

    See: https://learn.microsoft.com/azure/container-registry/container-registry-skus
    """

    sku: Literal["Basic", "Standard", "Premium"] = "Basic"
    """Premium has private endpoints, zones and geo-replication."""
    georeplication_locations: Annotated[tuple[Location, ...], Field(strict=False), AfterValidator(distinct)] = ()
    """Further regions that hold the images; needs Premium."""
    zone_redundancy_enabled: bool = fixed(False)
    """Images are kept in three zones; needs Premium."""
    untagged_retention_days: Annotated[int, Field(ge=0, le=365)] = 7
    """Days that untagged manifests are kept; Premium only, ignored otherwise."""


class KeyVault(Section):
    """The vault of the chat's secrets: RBAC and purge protection are always on.

    See: https://learn.microsoft.com/azure/key-vault/general/overview
    """

    sku_name: Literal["standard", "premium"] = "standard"
    """Premium keeps keys in hardware security modules."""
    soft_delete_retention_days: Annotated[int, Field(ge=7, le=90)] = fixed(30)
    """Days that a deleted vault or secret can be recovered, and its name is taken."""
    secrets_officer_object_ids: Principals = {}
    """Entra ID principals that may write secrets, each under a name of your choice."""


class Storage(Section):
    """The storage account of the jump box's boot diagnostics: no public blobs.

    See: https://learn.microsoft.com/azure/virtual-machines/boot-diagnostics
    """

    replication_type: Literal["LRS", "GRS", "RAGRS"] = "LRS"
    """How many copies there are, and where; boot diagnostics take no zone-redundant account."""
    shared_access_key_enabled: bool = False
    """Account keys work. Only the serial console and the portal's view of boot logs need them."""


class OpenAiDeployment(Section):
    """One model deployment of Azure OpenAI."""

    model: Annotated[str, Matching(r"[a-z0-9][-\w.]{0,63}", "must be a model's name, such as gpt-4o")]
    """Name of the model."""
    version: Annotated[str, Matching(r"[-\w.]{1,32}", 'must be a version, such as "2024-11-20"')]
    """Version of the model."""
    sku_name: Literal[
        "Standard",
        "GlobalStandard",
        "DataZoneStandard",
        "ProvisionedManaged",
        "GlobalProvisionedManaged",
        "DataZoneProvisionedManaged",
    ] = "GlobalStandard"
    """Where and how the deployment computes."""
    capacity: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Thousands of tokens a minute, or provisioned units."""


class OpenAi(Section):
    """Azure OpenAI, an optional second place where the chat finds models.

    See: https://learn.microsoft.com/azure/ai-foundry/openai/overview
    """

    enabled: bool = False
    """The account and its deployments; keys are off, the chat signs in with its identity."""
    sku_name: Literal["S0"] = "S0"
    """The account's price tier."""
    deployments: dict[DeploymentName, OpenAiDeployment] = {}
    """Deployments by name, as `[openai.deployments.NAME]`; at least one while the account is on."""


class PostgreSql(Section):
    """PostgreSQL for the chat's history: always private, Entra ID only.

    See: https://learn.microsoft.com/azure/postgresql/flexible-server/overview
    """

    enabled: bool = False
    """A flexible server, one database, and the workload identity as its administrator."""
    sku_name: Annotated[
        str, Matching(r"(B|GP|MO)_Standard_[A-Z]\w{1,30}", "must be a server size, such as B_Standard_B1ms")
    ] = "B_Standard_B1ms"
    """Compute size: B burstable, GP general purpose, MO memory optimized."""
    version: Literal["14", "15", "16", "17", "18"] = "17"
    """Major version."""
    storage_gib: Literal[32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384] = 32
    """Disk size; it can grow, never shrink."""
    backup_retention_days: Annotated[int, Field(ge=7, le=35)] = 7
    """Days of point-in-time restore."""
    zone_redundancy_enabled: bool = False
    """A standby in another zone; needs a GP or MO size."""


class Bastion(Section):
    """Azure Bastion, for SSH without public addresses.

    See: https://learn.microsoft.com/azure/bastion/bastion-overview
    """

    enabled: bool = False
    """The Bastion host, its subnet and address."""
    sku: Literal["Basic", "Standard", "Premium"] = "Basic"
    """Standard adds native-client tunnels (`az network bastion tunnel`)."""


class VmImage(Section):
    """A marketplace image."""

    publisher: str = "Canonical"
    """Publisher of the image."""
    offer: str = "ubuntu-24_04-lts"
    """Offer of the image."""
    sku: str = "server"
    """SKU of the image."""
    version: str = "latest"
    """Version of the image."""


class JumpBox(Section):
    """A Linux machine inside the network, reached through Bastion only.

    See: https://learn.microsoft.com/azure/aks/operator-best-practices-network
    """

    enabled: bool = False
    """The virtual machine, with the Azure Monitor agent."""
    vm_size: VmSize = "Standard_D2ads_v5"
    """Size of the machine."""
    os_disk_storage_account_type: Literal[
        "Premium_LRS", "Premium_ZRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Standard_LRS"
    ] = "Premium_LRS"
    """Kind of the operating system's disk."""
    accelerated_networking_enabled: bool = True
    """The network card talks to the hardware directly; not every size can."""
    image: VmImage = VmImage()
    """Image of the machine, as `[jump_box.image]`."""
