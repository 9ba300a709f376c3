"""Host names of an environment, with a zone in a fake of Azure and the records of a fake DNS."""

from pathlib import Path
from typing import Any

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.preflight import dns
from support.fake_azure import FakeAzure
from support.fake_dns import FakeDns
from support.preflight_checks import GROUP, SCOPE, context, found

ZONE = f"{SCOPE}/resourceGroups/dns/providers/Microsoft.Network/dnsZones/kaito.dev"
ADDRESS = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/pip-ingress-kaito-dev-westeurope"
SERVERS = ["ns1-05.azure-dns.com", "ns2-05.azure-dns.net"]
RECORD = "chat record"
CHAT = {"ingress": ['hostname = "chat.kaito.dev"'], "chat": ["public_without_sign_in = true"]}
ZONED = CHAT | {
    "ingress": [*CHAT["ingress"], 'dns_zone_name = "kaito.dev"', 'dns_zone_resource_group_name = "dns"'],
}


def prepare(azure: FakeAzure) -> None:
    """Let the subscription have the zone, with the records that every zone has."""
    servers = [f"{each.upper()}." for each in SERVERS]
    azure.answer(ZONE, {"name": "kaito.dev", "properties": {"nameServers": servers, "zoneType": "Public"}})
    records(azure)


def records(azure: FakeAzure, *sets: dict[str, Any]) -> None:
    """Set the record sets of the zone, beside those that every zone has."""
    own = [record("SOA", "@"), record("NS", "@", NSRecords=[{"nsdname": f"{each}."} for each in SERVERS])]
    azure.listed(f"{ZONE}/all", *own, *sets)


def record(kind: str, name: str, **properties: Any) -> dict[str, Any]:
    """Return a record set as Azure describes it."""
    return {"type": f"Microsoft.Network/dnszones/{kind}", "name": name, "properties": properties}


def address(azure: FakeAzure, ip: str) -> None:
    """Let the ingress controller have a static address."""
    azure.answer(ADDRESS, {"properties": {"ipAddress": ip}})


def looked_up(
    folder: Path, azure: FakeAzure, public: FakeDns, edits: dict[str, list[str]] = ZONED, **variables: str
) -> dict[str, Finding]:
    """Return the findings by subject."""
    return found(dns.checks(context(folder, azure, edits, {"AKS_KAITO_DNS_SERVER": public.address, **variables})))
