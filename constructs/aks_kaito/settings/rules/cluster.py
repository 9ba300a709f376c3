"""Rules on the cluster, its node pools and the access of operators."""

from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule


@rule("cluster.kubernetes_version", "cluster.automatic_upgrade_channel")
def kubernetes_version_is_known(context: Context) -> Iterator[Problem]:
    """The minor version is in the catalog, and a patch version does not conflict with the upgrade channel."""
    version = context.settings.cluster.kubernetes_version
    if _minor(version) not in CATALOG.kubernetes_versions:
        known = ", ".join(CATALOG.kubernetes_versions)
        yield Problem("cluster.kubernetes_version", version, f"must be one of {known} (catalog.toml)")
    channel = context.settings.cluster.automatic_upgrade_channel
    if version != _minor(version) and channel == "patch":
        allowed = 'must name the minor version only while cluster.automatic_upgrade_channel = "patch"'
        yield Problem("cluster.kubernetes_version", version, allowed)


@rule("cluster.kubernetes_version", "cluster.support_plan")
def kubernetes_version_is_supported(context: Context) -> Iterator[Problem]:
    """The version is supported. This is a warning: AKS runs old clusters, but can refuse to create new ones."""
    version = context.settings.cluster.kubernetes_version
    support = CATALOG.kubernetes_versions[_minor(version)]
    plan = context.settings.cluster.support_plan
    end = support.lts_end if plan == "AKSLongTermSupport" and support.lts_end else support.end_of_support
    if context.today > end:
        newer = ", ".join(
            name for name, dates in CATALOG.kubernetes_versions.items() if dates.end_of_support >= context.today
        )
        text = f"is unsupported since {end} (catalog.toml); AKS can refuse new clusters. Supported: {newer}"
        yield Problem("cluster.kubernetes_version", version, text)


@rule("cluster.sku_tier", "cluster.cost_analysis_enabled", "cluster.support_plan")
def tier_includes_the_features(context: Context) -> Iterator[Problem]:
    """The tier includes cost analysis and long-term support if they are on."""
    cluster = context.settings.cluster
    if cluster.cost_analysis_enabled and cluster.sku_tier == "Free":
        allowed = 'must be false while cluster.sku_tier = "Free"; it needs Standard or Premium'
        yield Problem("cluster.cost_analysis_enabled", cluster.cost_analysis_enabled, allowed)
    if cluster.support_plan == "AKSLongTermSupport" and cluster.sku_tier != "Premium":
        yield Problem("cluster.support_plan", cluster.support_plan, 'needs cluster.sku_tier = "Premium"')


@rule("cluster.automatic_upgrade_channel", "cluster.node_os_upgrade_channel")
def upgrade_channels_agree(context: Context) -> Iterator[Problem]:
    """The channel node-image requires the same channel for the operating system."""
    cluster = context.settings.cluster
    if cluster.automatic_upgrade_channel == "node-image" and cluster.node_os_upgrade_channel != "NodeImage":
        allowed = 'must be "NodeImage" while cluster.automatic_upgrade_channel = "node-image"'
        yield Problem("cluster.node_os_upgrade_channel", cluster.node_os_upgrade_channel, allowed)


@rule("system_pool", "user_pool")
def node_counts_are_ordered(context: Context) -> Iterator[Problem]:
    """In each pool min_count <= node_count <= max_count, and the system pool has a node."""
    for key, pool, least in (
        ("system_pool", context.settings.system_pool, 1),
        ("user_pool", context.settings.user_pool, 0),
    ):
        if pool.min_count < least:
            yield Problem(f"{key}.min_count", pool.min_count, f"must be at least {least}")
        if pool.max_count < max(pool.min_count, 1):
            allowed = f"must be at least {key}.min_count ({pool.min_count}) and 1"
            yield Problem(f"{key}.max_count", pool.max_count, allowed)
        if pool.node_count is not None and not pool.min_count <= pool.node_count <= pool.max_count:
            allowed = f"must be between {key}.min_count ({pool.min_count}) and {key}.max_count ({pool.max_count})"
            yield Problem(f"{key}.node_count", pool.node_count, allowed)


@rule("system_pool.name", "user_pool.name")
def pool_names_differ(context: Context) -> Iterator[Problem]:
    """The pools have different names."""
    if context.settings.system_pool.name == context.settings.user_pool.name:
        yield Problem("user_pool.name", context.settings.user_pool.name, "must differ from system_pool.name")


@rule("cluster.private_cluster_enabled", "cluster.private_access", "bastion.enabled", "jump_box.enabled")
def private_cluster_is_reachable(context: Context) -> Iterator[Problem]:
    """Operators can reach a private API server, and the jump box."""
    settings = context.settings
    peered = settings.cluster.private_access == "peered"
    bastion = settings.bastion.enabled and settings.jump_box.enabled
    if settings.cluster.private_cluster_enabled and not (bastion or peered):
        allowed = (
            "needs access: bastion.enabled = true and jump_box.enabled = true, "
            'or cluster.private_access = "peered" for a network that you peer yourself'
        )
        yield Problem("cluster.private_cluster_enabled", value=True, allowed=allowed)
    if settings.jump_box.enabled and not settings.bastion.enabled and not peered:
        allowed = 'has no public address: needs bastion.enabled = true or cluster.private_access = "peered"'
        yield Problem("jump_box.enabled", value=True, allowed=allowed)


@rule("cluster.private_cluster_enabled", "cluster.authorized_ip_ranges")
def private_cluster_has_no_allow_list(context: Context) -> Iterator[Problem]:
    """A private API server has no allow-list, which filters public addresses."""
    cluster = context.settings.cluster
    if cluster.private_cluster_enabled and cluster.authorized_ip_ranges:
        allowed = "must be empty while cluster.private_cluster_enabled = true"
        yield Problem("cluster.authorized_ip_ranges", list(cluster.authorized_ip_ranges), allowed)


@rule("flux")
def flux_has_a_repository(context: Context) -> Iterator[Problem]:
    """Flux has a repository."""
    if context.settings.flux.enabled and context.settings.flux.url is None:
        yield Problem("flux.url", MISSING, "must be set while flux.enabled = true")


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
