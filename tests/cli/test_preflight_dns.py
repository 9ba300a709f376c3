"""DNS of the host names: zone, delegation and records in the way, against fakes of Azure and of the DNS."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.preflight import dns as checked
from support.fake_azure import FakeAzure, error
from support.fake_azure import running as running_azure
from support.fake_dns import FakeDns
from support.fake_dns import running as running_dns
from support.preflight_checks import GROUP, SCOPE, context, found

ZONE = f"{SCOPE}/resourceGroups/dns/providers/Microsoft.Network/dnsZones/kaito.dev"
ADDRESS = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/pip-ingress-kaito-dev-westeurope"
SERVERS = ["ns1-05.azure-dns.com", "ns2-05.azure-dns.net"]
CHAT = {"ingress": ['hostname = "chat.kaito.dev"'], "chat": ["public_without_sign_in = true"]}
ZONED = CHAT | {
    "ingress": [*CHAT["ingress"], 'dns_zone_name = "kaito.dev"', 'dns_zone_resource_group_name = "dns"'],
}


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running_azure() as fake:
        servers = [f"{each.upper()}." for each in SERVERS]
        fake.answer(ZONE, {"name": "kaito.dev", "properties": {"nameServers": servers, "zoneType": "Public"}})
        records(fake)
        yield fake


@pytest.fixture
def public() -> Iterator[FakeDns]:
    with running_dns() as fake:
        fake.referrals["kaito.dev"] = SERVERS
        yield fake


def records(azure: FakeAzure, *sets: dict[str, Any]) -> None:
    """Set the record sets of the zone, beside those that every zone has."""
    own = [record("SOA", "@"), record("NS", "@", NSRecords=[{"nsdname": f"{each}."} for each in SERVERS])]
    azure.listed(f"{ZONE}/all", *own, *sets)


def record(kind: str, name: str, **properties: Any) -> dict[str, Any]:
    return {"type": f"Microsoft.Network/dnszones/{kind}", "name": name, "properties": properties}


def address(azure: FakeAzure, ip: str) -> None:
    azure.answer(ADDRESS, {"properties": {"ipAddress": ip}})


def looked_up(
    folder: Path, azure: FakeAzure, public: FakeDns, edits: dict[str, list[str]] = ZONED, **variables: str
) -> dict[str, Finding]:
    return found(checked.checks(context(folder, azure, edits, {"AKS_KAITO_DNS_SERVER": public.address, **variables})))


def test_a_delegated_zone_without_records_is_fine(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    result = looked_up(tmp_path, azure, public)
    assert {subject: (each.state, each.detail) for subject, each in result.items()} == {
        "zone": ("ok", "kaito.dev is in resource group dns"),
        "delegation": ("ok", "kaito.dev is delegated to this zone"),
        "record chat.kaito.dev": ("ok", "chat.kaito.dev has no record yet"),
        "CAA of chat.kaito.dev": ("ok", "no CAA record: every certification authority may issue"),
    }
    assert {request.query["api-version"][0] for request in azure.asked("dnsZones")} == {"2018-05-01"}


def test_nothing_is_asked_without_a_public_address(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    assert looked_up(tmp_path, azure, public, {}) == {}
    assert looked_up(tmp_path, azure, public, {"ingress": ['mode = "none"']}) == {}
    assert (azure.requests, public.asked) == ([], [])


def test_a_missing_zone_is_named_with_the_command(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    azure.answer(ZONE, error(404, "ResourceNotFound"))
    azure.answer(f"{ZONE}/all", error(404, "ParentResourceNotFound"))
    result = looked_up(tmp_path, azure, public)
    assert result["zone"].state == "blocker"
    assert result["zone"].detail == "the subscription has no DNS zone kaito.dev in resource group dns"
    assert "az network dns zone create --name kaito.dev --resource-group dns" in result["zone"].remedy
    assert "delegation" not in result
    assert "record chat.kaito.dev" not in result


def test_a_private_zone_is_refused(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    azure.answer(ZONE, {"properties": {"nameServers": SERVERS, "zoneType": "Private"}})
    assert looked_up(tmp_path, azure, public)["zone"].state == "blocker"


@pytest.mark.parametrize(
    ("servers", "state", "text"),
    [
        ([], "blocker", "no NS records delegate kaito.dev: nobody finds its records"),
        (["ns1.registrar.net"], "blocker", "kaito.dev is delegated to ns1.registrar.net, which do not serve this zone"),
        # A zone of the same name in another group or subscription.
        (["ns1-37.azure-dns.com", "ns2-37.azure-dns.net"], "blocker", "ns1-37.azure-dns.com, ns2-37.azure-dns.net"),
        ([*SERVERS, "ns1-37.azure-dns.com"], "blocker", "kaito.dev is delegated to ns1-37.azure-dns.com, which"),
        (SERVERS[:1], "warning", "kaito.dev is not delegated to ns2-05.azure-dns.net"),
        (list(reversed(SERVERS)), "ok", "kaito.dev is delegated to this zone"),
    ],
)
@pytest.mark.parametrize("asked", ["parent", "resolver"])
def test_the_parents_name_servers_are_compared(
    tmp_path: Path, azure: FakeAzure, public: FakeDns, servers: list[str], state: str, text: str, asked: str
) -> None:
    if asked == "parent":
        public.referrals["kaito.dev"] = servers
        # The zone's own list, which a resolver would give.
        public.records["kaito.dev NS"] = [f"{each}." for each in SERVERS]
    else:
        public.silent.add("*")
        public.records |= {"kaito.dev NS": [f"{each}." for each in servers]} if servers else {}
    result = looked_up(tmp_path, azure, public)["delegation"]
    assert result.state == state
    assert text in result.detail
    if state != "ok":
        assert result.remedy.endswith("set exactly these NS records: ns1-05.azure-dns.com, ns2-05.azure-dns.net")


def test_dns_that_does_not_answer_decides_nothing(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    public.silent |= {"*", "dev", "kaito.dev", "chat.kaito.dev"}
    result = looked_up(tmp_path, azure, public)
    assert {subject: each.state for subject, each in result.items()} == {
        "zone": "ok",
        "delegation": "unknown",
        "record chat.kaito.dev": "ok",
        "CAA of chat.kaito.dev": "unknown",
    }
    assert result["delegation"].remedy == "Ask another resolver: AKS_KAITO_DNS_SERVER=ADDRESS"


def test_a_resolver_that_is_not_there_decides_nothing(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{free.getsockname()[1]}"
    result = looked_up(tmp_path, azure, public, ZONED, AKS_KAITO_DNS_SERVER=nowhere)
    assert result["CAA of chat.kaito.dev"].state == "unknown"


@pytest.mark.parametrize("server", ["dns.example", "127.0.0.1:dns", "127.0.0.1:"])
def test_a_resolver_is_an_address(tmp_path: Path, azure: FakeAzure, public: FakeDns, server: str) -> None:
    result = looked_up(tmp_path, azure, public, ZONED, AKS_KAITO_DNS_SERVER=server)
    assert result["delegation"].state == "unknown"
    assert f"AKS_KAITO_DNS_SERVER={server}: must be an IP address, with or without :PORT" in result["delegation"].detail


@pytest.mark.parametrize("status", [401, 403])
def test_a_zone_that_cannot_be_read_decides_nothing(
    tmp_path: Path, azure: FakeAzure, public: FakeDns, status: int
) -> None:
    azure.answer(ZONE, error(status, "AuthorizationFailed"))
    azure.answer(f"{ZONE}/all", error(status, "AuthorizationFailed"))
    result = looked_up(tmp_path, azure, public)
    assert [result[each].state for each in ("zone", "delegation", "record chat.kaito.dev")] == ["unknown"] * 3


@pytest.mark.parametrize(
    ("existing", "state", "text", "command"),
    [
        (
            record("A", "chat", ARecords=[{"ipv4Address": "203.0.113.9"}]),
            "blocker",
            "an A record points to 203.0.113.9, which is not this environment's address",
            "a delete --name chat",
        ),
        (
            record("A", "Chat", ARecords=[], targetResource={"id": "/subscriptions/x/frontDoors/door"}),
            "blocker",
            "an A record points to another resource",
            "a delete --name chat",
        ),
        (
            record("CNAME", "chat", CNAMERecord={"cname": "old.example.net"}),
            "blocker",
            "a CNAME record leads to old.example.net, and allows no record beside it",
            "cname delete --name chat",
        ),
        (
            record("AAAA", "chat", AAAARecords=[{"ipv6Address": "2001:db8::1"}]),
            "warning",
            "an AAAA record leads visitors with IPv6 to 2001:db8::1",
            "aaaa delete --name chat",
        ),
        (
            record("NS", "chat", NSRecords=[{"nsdname": "ns1.elsewhere.net."}]),
            "blocker",
            "chat is delegated to ns1.elsewhere.net., so that this zone's records below it are not found",
            "ns delete --name chat",
        ),
    ],
)
def test_a_record_in_the_way_is_named_with_the_command(
    tmp_path: Path, azure: FakeAzure, public: FakeDns, existing: dict[str, Any], state: str, text: str, command: str
) -> None:
    records(azure, existing)
    address(azure, "52.174.1.2")
    result = looked_up(tmp_path, azure, public)["record chat.kaito.dev"]
    assert result.state == state
    assert text in result.detail
    assert result.remedy == f"az network dns record-set {command} --zone-name kaito.dev --resource-group dns"


def test_records_of_other_hosts_and_kinds_are_not_in_the_way(
    tmp_path: Path, azure: FakeAzure, public: FakeDns
) -> None:
    records(
        azure,
        record("A", "www", ARecords=[{"ipv4Address": "203.0.113.9"}]),
        record("TXT", "chat", TXTRecords=[{"value": ["a note"]}]),
        record("CNAME", "chat.old", CNAMERecord={"cname": "old.example.net"}),
    )
    assert looked_up(tmp_path, azure, public)["record chat.kaito.dev"].state == "ok"


def test_a_delegation_above_the_host_is_in_the_way(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    records(azure, record("NS", "eu", NSRecords=[{"nsdname": "ns1.elsewhere.net."}]))
    edits = ZONED | {"ingress": ['hostname = "chat.eu.kaito.dev"', *ZONED["ingress"][1:]]}
    result = looked_up(tmp_path, azure, public, edits)["record chat.eu.kaito.dev"]
    assert (result.state, result.detail.partition(",")[0]) == ("blocker", "eu is delegated to ns1.elsewhere.net.")


def test_the_zones_own_name_can_be_the_host(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    edits = ZONED | {"ingress": ['hostname = "kaito.dev"', *ZONED["ingress"][1:]]}
    assert looked_up(tmp_path, azure, public, edits)["record kaito.dev"].state == "ok"
    records(azure, record("A", "@", ARecords=[{"ipv4Address": "203.0.113.9"}]))
    result = looked_up(tmp_path, azure, public, edits)["record kaito.dev"]
    assert result.state == "blocker"
    assert "a delete --name @" in result.remedy


def test_a_second_deployment_finds_its_own_record(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    records(azure, record("A", "chat", ARecords=[{"ipv4Address": "52.174.1.2"}]))
    address(azure, "52.174.1.2")
    result = looked_up(tmp_path, azure, public)["record chat.kaito.dev"]
    assert (result.state, result.detail) == ("ok", "chat.kaito.dev has this environment's record")


def test_records_of_further_pages_are_seen(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    existing = record("A", "chat", ARecords=[{"ipv4Address": "203.0.113.9"}])
    azure.answer(
        f"{ZONE}/all", {"value": [], "nextLink": f"{azure.endpoint}{ZONE}/all?page=2"}, {"value": [existing]}
    )
    assert looked_up(tmp_path, azure, public)["record chat.kaito.dev"].state == "blocker"


@pytest.mark.parametrize(
    ("note", "state"),
    [
        (record("TXT", "chat", TXTRecords=[{"value": ['"heritage=external-dns,external-dns/owner=x"']}]), "ok"),
        (record("TXT", "a-chat", TXTRecords=[{"value": ["heritage=external", "-dns,external-dns/owner=x"]}]), "ok"),
        (record("TXT", "chat", TXTRecords=[{"value": ["v=spf1"]}]), "blocker"),
    ],
)
def test_app_routing_notes_its_own_records(
    tmp_path: Path, azure: FakeAzure, public: FakeDns, note: dict[str, Any], state: str
) -> None:
    records(azure, record("A", "chat", ARecords=[{"ipv4Address": "203.0.113.9"}]), note)
    edits = ZONED | {"ingress": ['mode = "webapprouting"', *ZONED["ingress"]]}
    assert looked_up(tmp_path, azure, public, edits)["record chat.kaito.dev"].state == state


@pytest.mark.parametrize(
    ("ours", "records_of_host", "state", "text"),
    [
        ("", {}, "info", "chat.kaito.dev has no record yet: create one to the address that the deployment shows"),
        ("", {"A": ["203.0.113.9"]}, "warning", "chat.kaito.dev points to 203.0.113.9: point it to"),
        ("52.174.1.2", {}, "warning", "chat.kaito.dev has no record"),
        ("52.174.1.2", {"A": ["52.174.1.2"]}, "ok", "chat.kaito.dev points to 52.174.1.2, this environment's address"),
        ("52.174.1.2", {"A": ["203.0.113.9"]}, "warning", "points to 203.0.113.9, not to this environment's address"),
        ("52.174.1.2", {"CNAME": ["old.kaito.dev."]}, "ok", "points to 52.174.1.2, this environment's address"),
    ],
)
def test_a_record_that_the_user_creates_is_compared(
    tmp_path: Path, azure: FakeAzure, public: FakeDns, ours: str, records_of_host: dict[str, list[str]], state: str, text: str
) -> None:
    if ours:
        address(azure, ours)
    public.records |= {f"chat.kaito.dev {kind}": values for kind, values in records_of_host.items()}
    public.records["old.kaito.dev A"] = ["52.174.1.2"]
    result = looked_up(tmp_path, azure, public, CHAT)["record chat.kaito.dev"]
    assert result.state == state
    assert text in result.detail
    if ours and state == "warning":
        assert result.remedy == "Create an A record to 52.174.1.2"


def test_each_host_name_is_checked(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    model = ['model_hostname = "model.kaito.dev"', 'model_basic_auth_secret_name = "people"']
    result = looked_up(tmp_path, azure, public, ZONED | {"ingress": [*ZONED["ingress"], *model]})
    assert [subject for subject in result if "model" in subject] == ["record model.kaito.dev", "CAA of model.kaito.dev"]


def test_a_servers_failure_is_not_taken_for_an_absence(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    public.rcodes["chat.kaito.dev"] = dns.rcode.SERVFAIL
    result = looked_up(tmp_path, azure, public, CHAT)
    assert [each.state for each in result.values()] == ["unknown", "unknown"]
