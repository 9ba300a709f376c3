"""Rules on names: of resources, namespaces and service accounts."""

from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.naming import Names
from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule

# See: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
_LONGEST_FEDERATED_CREDENTIAL_NAME = 120


@rule("prefix", "location", "subscription_id", "key_vault.name")
def names_fit_azure(context: Context) -> Iterator[Problem]:
    """Azure accepts every name of prefix, environment and region."""
    settings = context.settings
    names = Names(
        settings.prefix, context.environment, settings.location, settings.subscription_id, settings.key_vault.name
    )
    for kind, name, allowed in names.broken():
        noun = kind.replace("_", " ")
        text = f"makes the {noun}'s name {name}, but Azure allows {allowed}; shorten it or the file's name"
        yield Problem("prefix", settings.prefix, text)


@rule("prefix", "key_vault.name")
def names_have_no_reserved_words(context: Context) -> Iterator[Problem]:
    """Neither prefix and environment nor the vault's name have a word that Azure refuses in names."""
    prefix, vault = context.settings.prefix, context.settings.key_vault.name
    letters = f"{prefix}{context.environment}".lower().replace("-", "")
    if vault is not None:
        yield from _reserved("key_vault.name", vault)
    for word in CATALOG.reserved_names.words_anywhere:
        if word in letters:
            allowed = f"must not make the word {word} in names, alone or with the file's name; Azure reserves it"
            yield Problem("prefix", prefix, allowed)
    for word in CATALOG.reserved_names.words_first:
        if prefix.lower().startswith(word):
            yield Problem("prefix", prefix, f"must not begin with {word}, which Azure reserves")


def _reserved(key: str, name: str) -> Iterator[Problem]:
    """Yield the problems of a name that is used as it is."""
    letters = name.lower().replace("-", "")
    for word in CATALOG.reserved_names.words_anywhere:
        if word in letters:
            yield Problem(key, name, f"must not have the word {word}, which Azure reserves")
    for word in CATALOG.reserved_names.words_first:
        if letters.startswith(word):
            yield Problem(key, name, f"must not begin with {word}, which Azure reserves")


@rule("prefix", "key_vault.name")
def names_have_no_trademarks(context: Context) -> Iterator[Problem]:
    """No name is a reserved word. This is a warning: Azure checks this for some types only."""
    vault = context.settings.key_vault.name or ""
    for key, word in (
        ("prefix", context.settings.prefix),
        ("environment", context.environment),
        ("key_vault.name", vault),
    ):
        if word.lower() in CATALOG.reserved_names.words:
            yield Problem(key, word, "is a word that Azure reserves; it can refuse names of resources with it")


@rule("chat.namespace", "workloads", "ingress.mode", "cluster.dapr_enabled", "flux.enabled", "kaito")
def namespace_is_the_chats_own(context: Context) -> Iterator[Problem]:
    """The chat's namespace belongs to no other part of the cluster."""
    name = context.settings.chat.namespace
    owner = dict(_releases(context.settings)).get(name)
    if name.startswith("kube-") or name in CATALOG.reserved_names.namespaces:
        owner = "the system"
    if owner is not None:
        yield Problem("chat.namespace", name, f"must not be the namespace of {owner}")


def _releases(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the namespace and the name of each other release in the cluster."""
    if settings.workloads.cert_manager_enabled:
        yield "cert-manager", "cert-manager"
    if settings.workloads.kube_prometheus_stack_enabled:
        yield "monitoring", "kube-prometheus-stack"
    if settings.ingress.mode == "nginx":
        yield "nginx-ingress", "the ingress controller"
    if settings.cluster.dapr_enabled:
        yield "dapr-system", "Dapr"
    if settings.flux.enabled:
        yield "flux-system", "Flux"
    if settings.kaito.is_open_source:
        yield "gpu-provisioner", "KAITO's GPU provisioner"


@rule("chat.namespace", "chat.service_account_name")
def service_account_can_be_federated(context: Context) -> Iterator[Problem]:
    """The chat has a ServiceAccount of its own, and Azure accepts the name of its federated credential."""
    chat = context.settings.chat
    key = "chat.service_account_name"
    if chat.service_account_name == "default":
        yield Problem(key, "default", "must not be the ServiceAccount that Kubernetes creates in every namespace")
    length = len(f"{chat.namespace}-{chat.service_account_name}")
    if length > _LONGEST_FEDERATED_CREDENTIAL_NAME:
        most = _LONGEST_FEDERATED_CREDENTIAL_NAME - 1
        allowed = f"must have at most {most} characters together with chat.namespace; the two have {length - 1}"
        yield Problem(key, chat.service_account_name, allowed)


@rule("cluster.application_gateway_resource_id", "subscription_id")
def application_gateway_is_in_the_subscription(context: Context) -> Iterator[Problem]:
    """The application gateway is in the deployment's subscription, in which Terraform looks it up."""
    settings = context.settings
    gateway = settings.cluster.application_gateway_resource_id
    if gateway is not None and settings.subscription_id not in (None, gateway.split("/")[2].lower()):
        allowed = f"must be in the subscription of the deployment ({settings.subscription_id})"
        yield Problem("cluster.application_gateway_resource_id", gateway, allowed)


@rule("cluster.application_gateway_resource_id", "subscription_id")
def application_gateway_can_be_checked(context: Context) -> Iterator[Problem]:
    """The deployment's subscription is known. This is a warning: the file need not name it."""
    settings = context.settings
    gateway = settings.cluster.application_gateway_resource_id
    if gateway is not None and settings.subscription_id is None:
        text = "must be in the subscription of the deployment, which is not checked while subscription_id is unset"
        yield Problem("cluster.application_gateway_resource_id", gateway, text)
