"""Rules on names and the services around the cluster."""

from collections.abc import Iterator

from aks_kaito.naming import Names
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule


@rule("prefix", "location", "subscription_id")
def names_fit_azure(context: Context) -> Iterator[Problem]:
    """Every name built from prefix, environment and region is one that Azure takes."""
    settings = context.settings
    names = Names(settings.prefix, context.environment, settings.location, settings.subscription_id)
    for what, name, allowed in names.broken():
        kind = what.replace("_", " ")
        text = f"makes the {kind}'s name {name}, but Azure allows {allowed}; shorten it or the file's name"
        yield Problem("prefix", settings.prefix, text)


@rule("network.private_endpoints_enabled", "registry", "location")
def registry_tier_includes_the_features(context: Context) -> Iterator[Problem]:
    """Private endpoints, replicas and zones are Premium features of the registry."""
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


@rule("network.private_endpoints_enabled", "network.allowed_ip_ranges")
def private_services_have_no_allow_list(context: Context) -> Iterator[Problem]:
    """An allow-list opens a public address, which private services do not have."""
    network = context.settings.network
    if network.private_endpoints_enabled and network.allowed_ip_ranges:
        allowed = "must be empty while network.private_endpoints_enabled = true"
        yield Problem("network.allowed_ip_ranges", list(network.allowed_ip_ranges), allowed)


@rule("openai")
def openai_has_deployments(context: Context) -> Iterator[Problem]:
    """An account without a deployment answers nothing."""
    if context.settings.openai.enabled and not context.settings.openai.deployments:
        allowed = "must hold at least one [openai.deployments.NAME] while openai.enabled = true"
        yield Problem("openai.deployments", {}, allowed)


@rule("postgresql")
def burstable_servers_have_no_standby(context: Context) -> Iterator[Problem]:
    """High availability starts at general purpose sizes."""
    postgresql = context.settings.postgresql
    if postgresql.zone_redundancy_enabled and postgresql.sku_name.startswith("B_"):
        allowed = "must be a GP or MO size while postgresql.zone_redundancy_enabled = true"
        yield Problem("postgresql.sku_name", postgresql.sku_name, allowed)


@rule("state")
def remote_state_has_an_account(context: Context) -> Iterator[Problem]:
    """A blob needs the account that it is in."""
    state = context.settings.state
    for name in ("resource_group_name", "storage_account_name"):
        value = getattr(state, name)
        if state.backend == "azurerm" and value is None:
            yield Problem(f"state.{name}", MISSING, 'must be set while state.backend = "azurerm"')
        if state.backend == "local" and value is not None:
            yield Problem(f"state.{name}", value, 'must be left out while state.backend = "local"')


@rule("postgresql", "chat")
def history_needs_sign_in(context: Context) -> Iterator[Problem]:
    """A database without people to keep it for costs and does nothing."""
    if context.settings.postgresql.enabled and context.settings.chat.sign_in == "none":
        text = 'is not used by the chat while chat.sign_in = "none": history belongs to people who signed in'
        yield Problem("postgresql.enabled", True, text)  # noqa: FBT003 (the value in question)


@rule("monitoring")
def alert_addresses_need_alerts(context: Context) -> Iterator[Problem]:
    """Addresses without alerts are never told of anything."""
    monitoring = context.settings.monitoring
    if monitoring.alert_email_addresses and not monitoring.alerts_enabled:
        allowed = "must be left out while monitoring.alerts_enabled = false"
        yield Problem("monitoring.alert_email_addresses", dict(monitoring.alert_email_addresses), allowed)


@rule("state.backend", "cluster.admin_group_object_ids")
def shared_state_has_an_admin_group(context: Context) -> Iterator[Problem]:
    """Without a group, the cluster is administered by whoever deployed last, and by nobody else."""
    settings = context.settings
    if settings.state.backend == "azurerm" and not settings.cluster.admin_group_object_ids:
        text = (
            "lets several people deploy, but without cluster.admin_group_object_ids only the last may enter the cluster"
        )
        yield Problem("state.backend", "azurerm", text)
