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
# Domains that belong to nobody: Microsoft's and RFC 2606's examples, and the one of the sample's author.
_DOMAINS = ("babosbird.com", "contoso.com", "example.com", "example.net", "example.org")
# Ids that the shipped files and messages show, and those that consist of one digit.
_IDS = re.compile(
    r"11111111-2222-3333-4444-555555555555|[0a]{8}-0000-[04]000-[08]000-0{8}[0-9]{4}|([0-9a-f])\1{7}(-\1{4}){3}-\1{12}"
)


def found(settings: Settings) -> Iterator[Problem]:
    """Yield each placeholder that is left: SSH key, host names, and ids of Entra ID."""
    if EXAMPLE_KEY in settings.cluster.ssh_public_key:
        text = "is the example key, for which nobody has the private key: use your own"
        yield Problem("cluster.ssh_public_key", settings.cluster.ssh_public_key, text)
    ingress = settings.ingress
    for key in ("hostname", "model_hostname", "dns_zone_name"):
        name = getattr(ingress, key)
        if name and any(name == domain or name.endswith(f".{domain}") for domain in _DOMAINS):
            yield Problem(f"ingress.{key}", name, "is an example domain: use your own")
    ids = {
        "subscription_id": [settings.subscription_id],
        "chat.entra_client_id": [settings.chat.entra_client_id],
        "cluster.admin_group_object_ids": settings.cluster.admin_group_object_ids,
        "key_vault.secrets_officer_object_ids": settings.key_vault.secrets_officer_object_ids.values(),
        "monitoring.grafana_admin_object_ids": settings.monitoring.grafana_admin_object_ids.values(),
    }
    for key, values in ids.items():
        for value in values:
            if value and _IDS.fullmatch(value):
                yield Problem(key, value, "is an example id: use one of your tenant")


@rule(
    "subscription_id",
    "cluster.ssh_public_key",
    "cluster.admin_group_object_ids",
    "chat.entra_client_id",
    "ingress",
    "key_vault.secrets_officer_object_ids",
    "monitoring.grafana_admin_object_ids",
)
def placeholders_are_replaced(context: Context) -> Iterator[Problem]:
    """The file has no placeholders. This is a warning: they are valid, and synthesis needs no real ones."""
    yield from found(context.settings)
