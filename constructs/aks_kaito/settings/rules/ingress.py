"""Rules on the addresses of the chat and the model, and on sign-in."""

from collections.abc import Iterator

from aks_kaito.settings.model import DEFAULT
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.kaito import prefix_of
from aks_kaito.settings.rules.rule import Context, rule

_ENDPOINTS = ("ingress", "model", "models")


def _model_hostnames(context: Context) -> dict[str, str]:
    """Return the host names of the models' own endpoints by their keys; both of the default model's."""
    settings = context.settings
    found = {"ingress.model_hostname": settings.ingress.model_hostname}
    found |= {f"{prefix_of(context, name)}hostname": model.hostname for name, model in settings.all_models.items()}
    return {key: hostname for key, hostname in found.items() if hostname is not None}


def _hostnames(context: Context) -> dict[str, str]:
    """Return all host names by their keys."""
    chat = context.settings.ingress.hostname
    return ({"ingress.hostname": chat} if chat else {}) | _model_hostnames(context)


@rule(*_ENDPOINTS, "cluster.application_gateway_resource_id")
def ingress_controllers_exclude_each_other(context: Context) -> Iterator[Problem]:
    """There is at most one ingress controller, and one if there are host names, which all differ."""
    ingress = context.settings.ingress
    if context.settings.cluster.application_gateway_resource_id is not None and ingress.mode != "none":
        allowed = 'must be "none" while cluster.application_gateway_resource_id is set: only one ingress is possible'
        yield Problem("ingress.mode", ingress.mode, allowed)
    first: dict[str, str] = {}
    for key, hostname in _hostnames(context).items():
        if ingress.mode == "none":
            allowed = 'must not be set while ingress.mode = "none", which publishes nothing'
            yield Problem(key, hostname, allowed)
        if hostname in first:
            yield Problem(key, hostname, f"must differ from {first[hostname]}")
        first.setdefault(hostname, key)


@rule(*_ENDPOINTS)
def dns_zone_is_complete(context: Context) -> Iterator[Problem]:
    """The DNS zone has a name and a resource group, and contains the host names."""
    ingress = context.settings.ingress
    zone = ingress.dns_zone_name
    group = ingress.dns_zone_resource_group_name
    if zone is None and group is not None:
        yield Problem("ingress.dns_zone_name", MISSING, "must be set while ingress.dns_zone_resource_group_name is")
    if zone is not None and group is None:
        yield Problem("ingress.dns_zone_resource_group_name", MISSING, "must be set while ingress.dns_zone_name is")
    for key, hostname in _hostnames(context).items():
        if zone and hostname != zone and not hostname.endswith(f".{zone}"):
            yield Problem(key, hostname, f"must be in ingress.dns_zone_name ({zone})")


@rule("ingress", "workloads.cert_manager_enabled")
def front_door_needs_an_ingress_and_a_certificate(context: Context) -> Iterator[Problem]:
    """Traffic from Front Door has an ingress, and a certificate that Let's Encrypt need not reach over HTTP."""
    ingress = context.settings.ingress
    if not ingress.front_door_only:
        return
    if ingress.hostname is None:
        yield Problem("ingress.front_door_only", True, "must not be set while ingress.hostname is unset")  # noqa: FBT003
    elif context.settings.workloads.cert_manager_enabled and ingress.dns_zone_name is None:
        text = (
            "needs ingress.dns_zone_name, or workloads.cert_manager_enabled = false and certificates of your own: "
            "Let's Encrypt's HTTP challenge does not come from Front Door's addresses"
        )
        yield Problem("ingress.front_door_only", True, text)  # noqa: FBT003


@rule(*_ENDPOINTS)
def published_model_is_protected(context: Context) -> Iterator[Problem]:
    """The ingress controller protects published models, which have no authentication."""
    ingress = context.settings.ingress
    guards = {
        "ingress.model_allowed_ip_ranges": list(ingress.model_allowed_ip_ranges),
        "ingress.model_basic_auth_secret_name": ingress.model_basic_auth_secret_name,
    }
    published = _model_hostnames(context)
    if not published:
        allowed = "must not be set without ingress.model_hostname, or hostname of a model"
        yield from (Problem(key, value, allowed) for key, value in guards.items() if value)
    for key, hostname in published.items():
        if ingress.mode == "gateway":
            allowed = 'needs ingress.mode = "nginx" or "webapprouting": the Gateway API cannot protect it'
            yield Problem(key, hostname, allowed)
        elif not any(guards.values()):
            yield Problem(key, hostname, f"needs {' or '.join(guards)}: the model has no authentication")


@rule(*_ENDPOINTS)
def published_model_has_one_host(context: Context) -> Iterator[Problem]:
    """The default model has one host name, in one of its two keys, and `ingress.model_hostname` has a model."""
    settings, hostname = context.settings, context.settings.ingress.model_hostname
    default = settings.all_models.get(DEFAULT)
    if hostname is not None and default is None:
        allowed = (
            f"must not be set without [model] or [models.{DEFAULT}], whose endpoint it is; other models have hostname"
        )
        yield Problem("ingress.model_hostname", hostname, allowed)
    if hostname is not None and default is not None and default.hostname is not None:
        allowed = "must not be set beside ingress.model_hostname, which is the same"
        yield Problem(f"{prefix_of(context, DEFAULT)}hostname", default.hostname, allowed)


@rule(*_ENDPOINTS, "kaito.enabled", "workloads.cert_manager_enabled")
def published_model_has_a_certificate(context: Context) -> Iterator[Problem]:
    """A published model exists, the chat has a host name too, and Let's Encrypt can validate the model's."""
    settings, ingress = context.settings, context.settings.ingress
    published = _model_hostnames(context)
    if not published or ingress.mode == "none":
        return
    if not settings.kaito.enabled:
        allowed = "must not be set while kaito.enabled = false: there is no model to publish"
        yield from (Problem(key, hostname, allowed) for key, hostname in published.items())
    first = next(iter(published))
    if ingress.hostname is None:
        yield Problem("ingress.hostname", MISSING, f"must be set while {first} is")
    if ingress.mode == "nginx" and settings.workloads.cert_manager_enabled and ingress.dns_zone_name is None:
        allowed = f"must be set for {first}: Let's Encrypt validates a protected endpoint by DNS only"
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
