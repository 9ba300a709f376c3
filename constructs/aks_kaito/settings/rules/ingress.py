"""Rules on how people and programs reach the chat and its model."""

from collections.abc import Iterator

from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule


@rule("ingress", "cluster.application_gateway_resource_id")
def ingress_controllers_exclude_each_other(context: Context) -> Iterator[Problem]:
    """Ingress modes exclude each other, and a host name needs one."""
    ingress = context.settings.ingress
    if context.settings.cluster.application_gateway_resource_id is not None and ingress.mode != "none":
        allowed = 'must be "none" while cluster.application_gateway_resource_id is set: one ingress excludes the other'
        yield Problem("ingress.mode", ingress.mode, allowed)
    for key, hostname in (("hostname", ingress.hostname), ("model_hostname", ingress.model_hostname)):
        if hostname is not None and ingress.mode == "none":
            allowed = 'must be left out while ingress.mode = "none", which publishes nothing'
            yield Problem(f"ingress.{key}", hostname, allowed)
    if ingress.model_hostname is not None and ingress.model_hostname == ingress.hostname:
        yield Problem("ingress.model_hostname", ingress.model_hostname, "must differ from ingress.hostname")


@rule("ingress")
def dns_zone_is_complete(context: Context) -> Iterator[Problem]:
    """A zone is found by name and resource group, and holds the host names."""
    ingress = context.settings.ingress
    zone = ingress.dns_zone_name
    pair = (("dns_zone_name", zone), ("dns_zone_resource_group_name", ingress.dns_zone_resource_group_name))
    if [value for _, value in pair].count(None) == 1:
        for key, value in pair:
            if value is None:
                yield Problem(f"ingress.{key}", MISSING, "must be set together with its other half, or neither")
    for key, hostname in (("hostname", ingress.hostname), ("model_hostname", ingress.model_hostname)):
        if zone and hostname and hostname != zone and not hostname.endswith(f".{zone}"):
            yield Problem(f"ingress.{key}", hostname, f"must lie in ingress.dns_zone_name ({zone})")


@rule("ingress")
def published_model_is_protected(context: Context) -> Iterator[Problem]:
    """A model's endpoint asks nobody who they are, so the controller in front of it has to."""
    ingress = context.settings.ingress
    guards = {
        "ingress.model_allowed_ip_ranges": list(ingress.model_allowed_ip_ranges),
        "ingress.model_basic_auth_secret_name": ingress.model_basic_auth_secret_name,
    }
    if ingress.model_hostname is None:
        allowed = "must be left out without ingress.model_hostname"
        yield from (Problem(key, value, allowed) for key, value in guards.items() if value)
    elif ingress.mode == "gateway":
        allowed = 'needs ingress.mode = "nginx" or "webapprouting": the Gateway API checks nobody'
        yield Problem("ingress.model_hostname", ingress.model_hostname, allowed)
    elif not any(guards.values()):
        allowed = f"needs {' or '.join(guards)}: the model itself asks nobody who they are"
        yield Problem("ingress.model_hostname", ingress.model_hostname, allowed)


@rule("ingress", "kaito.enabled", "workloads.cert_manager_enabled")
def published_model_has_a_certificate(context: Context) -> Iterator[Problem]:
    """There is a model, a chat beside it, and a way to a certificate."""
    settings, ingress = context.settings, context.settings.ingress
    if ingress.model_hostname is None or ingress.mode == "none":
        return
    if not settings.kaito.enabled:
        allowed = "must be left out while kaito.enabled = false: there is no model to publish"
        yield Problem("ingress.model_hostname", ingress.model_hostname, allowed)
    if ingress.hostname is None:
        yield Problem("ingress.hostname", MISSING, "must be set while ingress.model_hostname is")
    if ingress.mode == "nginx" and settings.workloads.cert_manager_enabled and ingress.dns_zone_name is None:
        allowed = "must be set for ingress.model_hostname: Let's Encrypt cannot ask a guarded endpoint, only its zone"
        yield Problem("ingress.dns_zone_name", MISSING, allowed)


@rule("ingress.mode")
def app_routing_nginx_is_deprecated(context: Context) -> Iterator[Problem]:
    """The managed NGINX gets no patches after November 2026."""
    if context.settings.ingress.mode == "webapprouting":
        text = 'gets security patches only until November 2026; ingress.mode = "gateway" is its successor'
        yield Problem("ingress.mode", "webapprouting", text)


@rule("ingress.mode", "user_pool")
def gateway_proxies_can_be_scheduled(context: Context) -> Iterator[Problem]:
    """A Gateway's proxies are pods that AKS makes, without tolerations of ours."""
    ingress, pool = context.settings.ingress, context.settings.user_pool
    keeps_away = pool.spot_enabled or any(not taint.endswith(":PreferNoSchedule") for taint in pool.node_taints)
    if ingress.mode == "gateway" and ingress.hostname is not None and keeps_away:
        text = "runs the Gateway's proxies without tolerations, and the only pool of people's pods has taints"
        yield Problem("ingress.mode", "gateway", text)


@rule("chat", "ingress.hostname", "ingress.mode")
def sign_in_has_a_registration(context: Context) -> Iterator[Problem]:
    """Entra ID sends people back to an address, and asks which application they sign in to."""
    chat, ingress = context.settings.chat, context.settings.ingress
    if chat.sign_in == "none":
        if chat.entra_client_id is not None:
            yield Problem("chat.entra_client_id", chat.entra_client_id, 'must be left out while chat.sign_in = "none"')
        return
    if chat.entra_client_id is None:
        yield Problem(
            "chat.entra_client_id", MISSING, 'must be the app registration\'s id while chat.sign_in = "entra"'
        )
    if ingress.hostname is None or ingress.mode == "none":
        allowed = 'must be set, with an ingress.mode other than "none", while chat.sign_in = "entra"'
        yield Problem("ingress.hostname", ingress.hostname or MISSING, allowed)
