"""PostgreSQL: size, version, storage and redundancy that Azure offers this subscription in the region.

See: https://learn.microsoft.com/rest/api/postgresql/capabilities-by-location/list
"""

from collections.abc import Iterator

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.azure.arm import Answer
from aks_kaito_cli.preflight import resources
from aks_kaito_cli.preflight.context import Context

SUBJECT = "PostgreSQL"
_EDITIONS = {"B": "Burstable", "GP": "GeneralPurpose", "MO": "MemoryOptimized"}
_ZONE_REDUNDANT = "ZoneRedundant"
_MIB_PER_GIB = 1024


def findings(context: Context, group: str) -> Iterator[Finding]:
    """Yield a blocker for everything that the region lacks, or one finding that it has all."""
    settings = context.settings
    location = settings.location
    path = f"{context.scope}/providers/Microsoft.DBforPostgreSQL/locations/{location}/capabilities"
    regions = context.arm.pages(path)
    if not regions:
        raise ValueError("no capabilities")
    obstacles = list(_obstacles(context, regions[0]))
    if obstacles and _runs(context):
        text = (
            f"the server runs as configured; {location} offers new servers less: {'; '.join(t for t, _ in obstacles)}"
        )
        yield Finding(group, SUBJECT, "info", text)
        return
    for text, remedy in obstacles:
        yield Finding(group, SUBJECT, "blocker", text, remedy)
    if not obstacles:
        redundancy = " with a standby in another zone" if settings.postgresql.zone_redundancy_enabled else ""
        text = f"{location} offers {settings.postgresql.sku_name}, version {settings.postgresql.version}{redundancy}"
        yield Finding(group, SUBJECT, "ok", text)


def _obstacles(context: Context, region: Answer) -> Iterator[tuple[str, str]]:
    """Yield what the region lacks, each with its remedy."""
    location, wanted = context.settings.location, context.settings.postgresql
    features = _features(region)
    if features.get("OfferRestricted", region.get("restricted")) == "Enabled":
        reason = f": {region['reason']}" if region.get("reason") else ""
        text = f"Azure admits no new servers of this subscription in {location}{reason}"
        yield text, "Ask for access: https://aka.ms/postgres-request-quota-increase"
        return
    versions = [each["name"] for each in _enabled(region["supportedServerVersions"])]
    if wanted.version not in versions:
        remedy = f"Set postgresql.version to one of {', '.join(versions) or '(none)'}"
        yield f"{location} does not offer version {wanted.version}", remedy
    if wanted.geo_redundant_backup_enabled and features.get("GeoBackup", region.get("geoBackupSupported")) != "Enabled":
        text = f"{location} does not offer geo-redundant backups"
        yield text, "Set postgresql.geo_redundant_backup_enabled = false"
    yield from _of_size(context, region, features)


def _of_size(context: Context, region: Answer, features: dict[str, str]) -> Iterator[tuple[str, str]]:
    location, wanted = context.settings.location, context.settings.postgresql
    tier, _, size = wanted.sku_name.partition("_")
    editions = [each for each in _enabled(region["supportedServerEditions"]) if each["name"] == _EDITIONS[tier]]
    sizes = {sku["name"].lower(): sku for each in editions for sku in _enabled(each["supportedServerSkus"])}
    sku = sizes.get(size.lower())
    if sku is None:
        choices = ", ".join(f"{tier}_{each['name']}" for each in sizes.values())
        text = f"{location} does not offer {wanted.sku_name}"
        yield text, f"Set postgresql.sku_name to one of {choices or '(none of this tier)'}"
        return
    storages = [each for edition in editions for each in _enabled(edition["supportedStorageEditions"])]
    offered = {each["storageSizeMb"] for storage in storages for each in _enabled(storage["supportedStorageMb"])}
    if wanted.storage_gib * _MIB_PER_GIB not in offered:
        choices = ", ".join(str(each // _MIB_PER_GIB) for each in sorted(offered))
        text = f"{location} does not offer {wanted.storage_gib} GiB"
        yield text, f"Set postgresql.storage_gib to one of {choices or '(none)'}"
    if wanted.zone_redundancy_enabled:
        offers = features.get("ZoneRedundantHa", region.get("zoneRedundantHaSupported")) == "Enabled"
        if not offers or _ZONE_REDUNDANT not in (sku.get("supportedHaMode") or []):
            where = f"of {wanted.sku_name} " if offers else ""
            text = f"{location} does not offer a standby {where}in another zone"
            yield text, "Set postgresql.zone_redundancy_enabled = false, or choose another size"


def _features(region: Answer) -> dict[str, str]:
    """Return the features by name, which newer answers have instead of a key for each."""
    return {each["name"]: each["status"] for each in region.get("supportedFeatures") or []}


def _enabled(capabilities: list[Answer] | None) -> list[Answer]:
    """Return the capabilities that Azure has not disabled for this subscription."""
    return [each for each in capabilities or [] if each.get("status") != "Disabled"]


def _runs(context: Context) -> bool:
    """Return whether this environment's server already has the configured size, version and redundancy."""
    wanted = context.settings.postgresql
    kind = "Microsoft.DBforPostgreSQL/flexibleServers"
    server = resources.existing(context, resources.own(context, kind, context.names.postgresql))
    if server is None:
        return False
    properties = server["properties"]
    is_redundant = (properties.get("highAvailability") or {}).get("mode") == _ZONE_REDUNDANT
    return (
        server["sku"]["name"].lower() == wanted.sku_name.partition("_")[2].lower()
        and properties["version"] == wanted.version
        and is_redundant == wanted.zone_redundancy_enabled
    )
