"""Rules on Azure services."""

from collections.abc import Iterator

from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule


@rule("network.private_endpoints_enabled", "registry", "location")
def registry_tier_includes_the_features(context: Context) -> Iterator[Problem]:
    """The registry is Premium if it has private endpoints, replicas or zones."""
    registry = context.settings.registry
    wanted = {
        "network.private_endpoints_enabled = true": context.settings.network.private_endpoints_enabled,
        "registry.georeplication_locations": bool(registry.georeplication_locations),
        "registry.zone_redundancy_enabled = true": registry.zone_redundancy_enabled,
    }
    reasons = [reason for reason, asked in wanted.items() if asked]
    if registry.sku != "Premium" and reasons:
        yield Problem("registry.sku", registry.sku, f'must be "Premium" for {" and ".join(reasons)}')
    if context.settings.location in registry.georeplication_locations:
        allowed = "must not name the registry's own region"
        yield Problem("registry.georeplication_locations", context.settings.location, allowed)


@rule(
    "network.private_endpoints_enabled", "network.public_access_beside_endpoints_enabled", "network.allowed_ip_ranges"
)
def private_services_have_no_allow_list(context: Context) -> Iterator[Problem]:
    """Private services have no allow-list, which filters public addresses."""
    network = context.settings.network
    if network.services_are_private and network.allowed_ip_ranges:
        allowed = "must be empty while network.private_endpoints_enabled = true without public access beside them"
        yield Problem("network.allowed_ip_ranges", list(network.allowed_ip_ranges), allowed)
    if network.public_access_beside_endpoints_enabled and not network.private_endpoints_enabled:
        key, allowed = "public_access_beside_endpoints_enabled", "needs network.private_endpoints_enabled = true"
        yield Problem(f"network.{key}", network.public_access_beside_endpoints_enabled, allowed)


@rule("openai")
def openai_has_deployments(context: Context) -> Iterator[Problem]:
    """An Azure OpenAI account has a deployment."""
    if context.settings.openai.enabled and not context.settings.openai.deployments:
        allowed = "must have at least one [openai.deployments.NAME] while openai.enabled = true"
        yield Problem("openai.deployments", {}, allowed)


@rule("postgresql")
def burstable_servers_have_no_standby(context: Context) -> Iterator[Problem]:
    """A server with a standby has a general purpose or memory optimized size."""
    postgresql = context.settings.postgresql
    if postgresql.zone_redundancy_enabled and postgresql.sku_name.startswith("B_"):
        allowed = "must be a GP or MO size while postgresql.zone_redundancy_enabled = true"
        yield Problem("postgresql.sku_name", postgresql.sku_name, allowed)


@rule("state")
def remote_state_has_an_account(context: Context) -> Iterator[Problem]:
    """State in a blob has a storage account."""
    state = context.settings.state
    for name in ("resource_group_name", "storage_account_name"):
        value = getattr(state, name)
        if state.backend == "azurerm" and value is None:
            yield Problem(f"state.{name}", MISSING, 'must be set while state.backend = "azurerm"')
        if state.backend == "local" and value is not None:
            yield Problem(f"state.{name}", value, 'must not be set while state.backend = "local"')


@rule("postgresql", "chat")
def history_needs_sign_in(context: Context) -> Iterator[Problem]:
    """The history has users. This is a warning: without sign-in, the database only costs money."""
    if context.settings.postgresql.enabled and context.settings.chat.sign_in == "none":
        text = 'is unused while chat.sign_in = "none": a conversation belongs to a user'
        yield Problem("postgresql.enabled", True, text)  # noqa: FBT003 (the value in question)


@rule("monitoring.public_network_access_enabled")
def metrics_can_be_queried(context: Context) -> Iterator[Problem]:
    """Grafana can query the metrics. This is a warning: an operator can give Grafana a private endpoint of its own."""
    if not context.settings.monitoring.public_network_access_enabled:
        text = (
            "leaves Grafana without metrics until you give it a managed private endpoint of the Azure Monitor workspace"
        )
        yield Problem("monitoring.public_network_access_enabled", False, text)  # noqa: FBT003 (the value in question)


@rule("monitoring")
def alert_addresses_need_alerts(context: Context) -> Iterator[Problem]:
    """Alerts are on if there are addresses for them."""
    monitoring = context.settings.monitoring
    if monitoring.alert_email_addresses and not monitoring.alerts_enabled:
        allowed = "must not be set while monitoring.alerts_enabled = false"
        yield Problem("monitoring.alert_email_addresses", dict(monitoring.alert_email_addresses), allowed)


@rule("state.backend", "cluster.admin_group_object_ids")
def shared_state_has_an_admin_group(context: Context) -> Iterator[Problem]:
    """A shared state has a group of administrators. Without one, only the first deployer can access the cluster."""
    settings = context.settings
    if settings.state.backend == "azurerm" and not settings.cluster.admin_group_object_ids:
        text = "lets several operators deploy; without cluster.admin_group_object_ids only the first has cluster access"
        yield Problem("state.backend", "azurerm", text)
