"""Rules on the region: availability zones and the paired region, according to the catalog."""

from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule

_ZONE_KEYS = (
    "location",
    "system_pool.zones",
    "user_pool.zones",
    "network.nat_gateway_zones",
    "network.public_ip_zones",
    "ingress.mode",
    "bastion.enabled",
    "registry",
    "monitoring.grafana_zone_redundancy_enabled",
    "postgresql",
    "jump_box",
)


def _zonal(settings: Settings) -> Iterator[tuple[str, object, str]]:
    """Yield each key that asks for availability zones, its value, and the value without zones."""
    has_public_ips = settings.ingress.has_static_address or settings.bastion.enabled
    has_zonal_nat = settings.network.nat_gateway_sku == "Standard"
    for key, zones in (
        ("system_pool.zones", settings.system_pool.zones),
        ("user_pool.zones", settings.user_pool.zones),
        ("network.nat_gateway_zones", settings.network.nat_gateway_zones if has_zonal_nat else ()),
        ("network.public_ip_zones", settings.network.public_ip_zones if has_public_ips else ()),
    ):
        if zones:
            yield key, list(zones), "[]"
    for key, is_redundant in (
        ("registry.zone_redundancy_enabled", settings.registry.zone_redundancy_enabled),
        ("monitoring.grafana_zone_redundancy_enabled", settings.monitoring.grafana_zone_redundancy_enabled),
        (
            "postgresql.zone_redundancy_enabled",
            settings.postgresql.enabled and settings.postgresql.zone_redundancy_enabled,
        ),
    ):
        if is_redundant:
            yield key, True, "false"
    disk = settings.jump_box.os_disk_storage_account_type
    if settings.jump_box.enabled and disk.endswith("_ZRS"):
        yield "jump_box.os_disk_storage_account_type", disk, f'"{disk.replace("ZRS", "LRS")}"'


@rule(*_ZONE_KEYS)
def region_has_the_zones(context: Context) -> Iterator[Problem]:
    """The region has availability zones if a key asks for them."""
    location = context.settings.location
    if CATALOG.regions[location].availability_zones is False:
        for key, value, without in _zonal(context.settings):
            yield Problem(key, value, f"must be {without} in {location}, which has no availability zones")


@rule(*_ZONE_KEYS)
def zones_of_the_region_are_confirmed(context: Context) -> Iterator[Problem]:
    """The catalog knows whether the region has zones. This is a warning: new regions are not in every list."""
    location = context.settings.location
    if CATALOG.regions[location].availability_zones is None:
        for key, value, _ in _zonal(context.settings):
            yield Problem(
                key, value, f"needs availability zones, which are not confirmed for {location} (catalog.toml)"
            )


@rule("registry")
def replicas_have_the_zones(context: Context) -> Iterator[Problem]:
    """The regions of the registry's replicas have zones if the registry is zone-redundant."""
    registry = context.settings.registry
    for location in registry.georeplication_locations:
        if registry.zone_redundancy_enabled and CATALOG.regions[location].availability_zones is False:
            allowed = "has no availability zones: leave it out, or set registry.zone_redundancy_enabled = false"
            yield Problem("registry.georeplication_locations", location, allowed)


@rule("storage", "postgresql", "location")
def region_has_a_pair(context: Context) -> Iterator[Problem]:
    """The region has a paired region, to which geo-redundant storage and backups copy the data."""
    settings = context.settings
    location, replication, postgresql = settings.location, settings.storage.replication_type, settings.postgresql
    region = CATALOG.regions[location]
    # A region whose facts are unconfirmed may have a pair.
    if region.paired_region is not None or region.availability_zones is None:
        return
    if replication != "LRS":
        allowed = f'must be "LRS" in {location}, which has no paired region'
        yield Problem("storage.replication_type", replication, allowed)
    if postgresql.enabled and postgresql.geo_redundant_backup_enabled:
        allowed = f"must be false in {location}, which has no paired region"
        yield Problem("postgresql.geo_redundant_backup_enabled", True, allowed)  # noqa: FBT003 (the value in question)
