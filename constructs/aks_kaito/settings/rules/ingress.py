"""Rules on the addresses of the chat and the model, and on sign-in."""

from collections.abc import Iterator

from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule


@rule("ingress", "cluster.application_gateway_resource_id")
def ingress_controllers_exclude_each_other(context: Context) -> Iterator[Problem]:
    """There is at most one ingress controller, and one if there are host names."""
    ingress = context.settings.ingress
    if context.settings.cluster.application_gateway_resource_id is not None and ingress.mode != "none":
        allowed = 'must be "none" while cluster.application_gateway_resource_id is set: only one ingress is possible'
        yield Problem("ingress.mode", ingress.mode, allowed)
    for key, hostname in (("hostname", ingress.hostname), ("model_hostname", ingress.model_hostname)):
        if hostname is not None and ingress.mode == "none":
            allowed = 'must not be set while ingress.mode = "none", which publishes nothing'
            yield Problem(f"ingress.{key}", hostname, allowed)
    if ingress.model_hostname is not None and ingress.model_hostname == ingress.hostname:
        yield Problem("ingress.model_hostname", ingress.model_hostname, "must differ from ingress.hostname")


@rule("ingress")
def dns_zone_is_complete(context: Context) -> Iterator[Problem]:
    """The DNS zone has a name and a resource group, and contains the host names."""
    ingress = context.settings.ingress
    zone = ingress.dns_zone_name
    group = ingress.dns_zone_resource_group_name
    if zone is None and group is not None:
        yield Problem("ingress.dns_zone_name", MISSING, "must be set while ingress.dns_zone_resource_group_name is")
    if zone is not None and group is None:
        yield Problem("ingress.dns_zone_resource_group_name", MISSING, "must be set while ingress.dns_zone_name is")
    for key, hostname in (("hostname", ingress.hostname), ("model_hostname", ingress.model_hostname)):
        if zone and hostname and hostname != zone and not hostname.endswith(f".{zone}"):
            yield Problem(f"ingress.{key}", hostname, f"must be in ingress.dns_zone_name ({zone})")


@rule("ingress")
def published_model_is_protected(context: Context) -> Iterator[Problem]:
    """The ingress controller protects a published model, which has no authentication."""
    ingress = context.settings.ingress
    guards = {
        "ingress.model_allowed_ip_ranges": list(ingress.model_allowed_ip_ranges),
        "ingress.model_basic_auth_secret_name": ingress.model_basic_auth_secret_name,
    }
    if ingress.model_hostname is None:
        allowed = "must not be set without ingress.model_hostname"
        yield from (Problem(key, value, allowed) for key, value in guards.items() if value)
    elif ingress.mode == "gateway":
        allowed = 'needs ingress.mode = "nginx" or "webapprouting": the Gateway API cannot protect it'
        yield Problem("ingress.model_hostname", ingress.model_hostname, allowed)
    elif not any(guards.values()):
        allowed = f"needs {' or '.join(guards)}: the model has no authentication"
        yield Problem("ingress.model_hostname", ingress.model_hostname, allowed)


@rule("ingress", "kaito.enabled", "workloads.cert_manager_enabled")
def published_model_has_a_certificate(context: Context) -> Iterator[Problem]:
    """A published model exists, the chat has a host name too, and Let's Encrypt can validate the model's."""
    settings, ingress = context.settings, context.settings.ingress
    if ingress.model_hostname is None or ingress.mode == "none":
        return
    if not settings.kaito.enabled:
        allowed = "must not be set while kaito.enabled = false: there is no model to publish"
        yield Problem("ingress.model_hostname", ingress.model_hostname, allowed)
    if ingress.hostname is None:
        yield Problem("ingress.hostname", MISSING, "must be set while ingress.model_hostname is")
    if ingress.mode == "nginx" and settings.workloads.cert_manager_enabled and ingress.dns_zone_name is None:
        allowed = "must be set for ingress.model_hostname: Let's Encrypt validates a protected endpoint by DNS only"
        yield Problem("ingress.dns_zone_name", MISSING, allowed)


@rule("ingress.mode")
def app_routing_nginx_is_deprecated(context: Context) -> Iterator[Problem]:
    """App routing's NGINX is supported. This is a warning: it gets no patches after November 2026."""
    if context.settings.ingress.mode == "webapprouting":
        text = 'gets security patches only until November 2026; ingress.mode = "gateway" is its successor'
        yield Problem("ingress.mode", "webapprouting", text)


@rule("ingress.mode", "user_pool")
def gateway_proxies_can_be_scheduled(context: Context) -> Iterator[Problem]:
    """A node accepts the Gateway's proxies, which AKS defines without tolerations."""
    ingress, pool = context.settings.ingress, context.settings.user_pool
    is_tainted = pool.spot_enabled or any(not taint.endswith(":PreferNoSchedule") for taint in pool.node_taints)
    if ingress.mode == "gateway" and ingress.hostname is not None and is_tainted:
        text = "runs the Gateway's proxies without tolerations, and user_pool has taints"
        yield Problem("ingress.mode", "gateway", text)


@rule("chat", "ingress.hostname", "ingress.mode")
def sign_in_has_a_registration(context: Context) -> Iterator[Problem]:
    """Sign-in with Entra ID has an app registration and an address for the redirect."""
    chat, ingress = context.settings.chat, context.settings.ingress
    if chat.sign_in == "none":
        if chat.entra_client_id is not None:
            yield Problem("chat.entra_client_id", chat.entra_client_id, 'must not be set while chat.sign_in = "none"')
        return
    if chat.entra_client_id is None:
        yield Problem(
            "chat.entra_client_id", MISSING, 'must be the app registration\'s id while chat.sign_in = "entra"'
        )
    if ingress.hostname is None or ingress.mode == "none":
        allowed = 'must be set, with an ingress.mode other than "none", while chat.sign_in = "entra"'
        yield Problem("ingress.hostname", ingress.hostname or MISSING, allowed)


@rule("chat", "ingress.hostname", "ingress.mode")
def published_chat_has_sign_in(context: Context) -> Iterator[Problem]:
    """A public chat has sign-in, since everyone who reaches it uses the GPU, or the file allows it explicitly."""
    chat, ingress = context.settings.chat, context.settings.ingress
    if ingress.hostname is None or ingress.mode == "none":
        return
    if chat.sign_in == "none" and not chat.public_without_sign_in:
        allowed = (
            'publishes the chat to everyone without sign-in: set chat.sign_in = "entra", or '
            "chat.public_without_sign_in = true if that is intended"
        )
        yield Problem("ingress.hostname", ingress.hostname, allowed)
