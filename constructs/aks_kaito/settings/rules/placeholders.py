"""Placeholders of the shipped files: `make synth` warns about them, and `make deploy` refuses them."""

import re
from collections.abc import Iterator

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule

# The example key of the shipped files; nobody has its private key.
EXAMPLE_KEY = (
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQCnl2YccfLn9sBHGbcmLJw7BqkkaKYI/sWnH3KA5dyuf29l+P1bxBMmAXq4tTS5XTlStywyEozWdVfskibEIWBq8"
    "Lgrkhr36TqTwgvLA3fU7kehVwGndY57av7j0p/GwnzgT6+EvrV2YRlA3ny5awbxhlPu3Ks5ZX0+7vhQHDd/JIm3ifdXI7TjZLY9XEgaFOQp46CRjASiKTcK"
    "58zCDBGF6yo5TgNInDtudYNPJ/yZ604O1ALtmgLe64T/e85c2N3WbpeOQ4XjNdNwZWwws9rjy4iv7dR4xCCZSdKx+htat0IOl0oI0tgdBDlcBba282DpzTH"
    "hEo1SXBI2GgyzUXZT"
)
# Microsoft's examples, RFC 2606's, and the domain of the sample's author. The last four are top-level domains.
_DOMAINS = (
    "babosbird.com",
    "contoso.com",
    "contoso.org",
    "example.com",
    "example.net",
    "example.org",
    "fabrikam.com",
    "example",
    "invalid",
    "localhost",
    "test",
)
# Ids that the shipped files and messages show, those whose groups each repeat one digit, and counting ones.
_IDS = re.compile(
    r"[0a]{8}-0000-[04]000-[08]000-0{8}[0-9]{4}|([0-9a-f])\1{7}(-([0-9a-f])\3{3}){3}-([0-9a-f])\4{11}"
    r"|12345678-1234-1234-1234-123456789(012|abc)"
)
# The prefixes of the shipped files, in lower case. Without a subscription id, everyone who keeps one asks Azure for the
# same names of registry, vault and storage.
_PREFIXES = {"kaito", "anubi"}


def found(settings: Settings) -> Iterator[Problem]:
    """Yield each placeholder that is left: SSH key, domains, and ids of Entra ID."""
    if EXAMPLE_KEY in settings.cluster.ssh_public_key:
        text = "is the example key, for which nobody has the private key: use your own"
        yield Problem("cluster.ssh_public_key", settings.cluster.ssh_public_key, text)
    yield from _domains(settings)
    yield from _ids(settings)


def shared_prefix(settings: Settings) -> Problem | None:
    """Return the problem of a shipped prefix without a subscription id, if there is one.

    It is no placeholder: a deployed environment cannot change its prefix, and may own its names.
    """
    if settings.subscription_id is not None or settings.prefix.lower() not in _PREFIXES:
        return None
    text = "is the prefix of the shipped file, with which everyone gets the same names of registry, vault and storage"
    return Problem("prefix", settings.prefix, text)


def _domains(settings: Settings) -> Iterator[Problem]:
    ingress = settings.ingress
    names = {
        f"ingress.{key}": getattr(ingress, key) for key in ("hostname", "model_hostname", "dns_zone_name", "email")
    }
    names |= {f"models.{name}.hostname": model.hostname for name, model in settings.models.items()}
    names["model.hostname"] = settings.model.hostname
    emails = settings.monitoring.alert_email_addresses
    names |= {f"monitoring.alert_email_addresses.{key}": address for key, address in emails.items()}
    for key, name in names.items():
        domain = f".{(name or '').lower().rpartition('@')[2]}"
        if any(domain.endswith(f".{example}") for example in _DOMAINS):
            yield Problem(key, name, "is an example domain: use your own")


def _ids(settings: Settings) -> Iterator[Problem]:
    ids = {
        "subscription_id": [settings.subscription_id],
        "chat.entra_client_id": [settings.chat.entra_client_id],
        "cluster.admin_group_object_ids": settings.cluster.admin_group_object_ids,
        "key_vault.secrets_officer_object_ids": settings.key_vault.secrets_officer_object_ids.values(),
        "monitoring.grafana_admin_object_ids": settings.monitoring.grafana_admin_object_ids.values(),
    }
    for key, values in ids.items():
        for value in values:
            if value and _IDS.fullmatch(value.lower()):
                yield Problem(key, value, "is an example id: use one of your tenant")


@rule(
    "subscription_id",
    "cluster.ssh_public_key",
    "cluster.admin_group_object_ids",
    "chat.entra_client_id",
    "ingress",
    "model",
    "models",
    "key_vault.secrets_officer_object_ids",
    "monitoring.alert_email_addresses",
    "monitoring.grafana_admin_object_ids",
)
def placeholders_are_replaced(context: Context) -> Iterator[Problem]:
    """The file has no placeholders. This is a warning: they are valid, and synthesis needs no real ones."""
    yield from found(context.settings)
