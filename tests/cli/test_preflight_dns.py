"""The zone of the host names and its delegation, against fakes of Azure and of the DNS."""

import socket
from collections.abc import Iterator
from pathlib import Path

import dns.rcode
import pytest

from support.fake_azure import FakeAzure, error
from support.fake_azure import running as running_azure
from support.fake_dns import FakeDns
from support.fake_dns import running as running_dns
from support.host_names import CHAT, RECORD, SERVERS, ZONE, ZONED, looked_up, prepare
from support.preflight_checks import GROUP

CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-kaito-dev-westeurope"


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running_azure() as fake:
        prepare(fake)
        yield fake


@pytest.fixture
def public() -> Iterator[FakeDns]:
    with running_dns() as fake:
        fake.referrals["kaito.dev"] = SERVERS
        yield fake


def test_a_delegated_zone_without_records_is_fine(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    result = looked_up(tmp_path, azure, public)
    assert {subject: (each.state, each.detail) for subject, each in result.items()} == {
        "zone": ("ok", "kaito.dev is in resource group dns"),
        "delegation": ("ok", "kaito.dev is delegated to this zone"),
        RECORD: ("ok", "chat.kaito.dev has no record yet"),
        "chat CAA": ("ok", "no CAA record: every certification authority may issue"),
    }
    assert {request.query["api-version"][0] for request in azure.asked("dnsZones")} == {"2018-05-01"}


def test_nothing_is_asked_without_a_public_address(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    assert looked_up(tmp_path, azure, public, {}) == {}
    assert looked_up(tmp_path, azure, public, {"ingress": ['mode = "none"']}) == {}
    assert (azure.requests, public.asked) == ([], [])


def test_the_zone_is_checked_without_a_public_address(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    edits = {"ingress": ['mode = "none"', *ZONED["ingress"][1:]]}
    assert list(looked_up(tmp_path, azure, public, edits)) == ["zone", "delegation"]


def test_a_missing_zone_is_named_with_the_command(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    azure.answer(ZONE, error(404, "ResourceNotFound"))
    azure.answer(f"{ZONE}/all", error(404, "ParentResourceNotFound"))
    result = looked_up(tmp_path, azure, public)
    assert result["zone"].state == "blocker"
    assert result["zone"].detail == "the subscription has no DNS zone kaito.dev in resource group dns"
    assert "az network dns zone create --name kaito.dev --resource-group dns" in result["zone"].remedy
    assert "delegation" not in result
    assert RECORD not in result


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
        RECORD: "ok",
        "chat CAA": "unknown",
    }
    assert result["delegation"].remedy == "Ask another resolver: AKS_KAITO_DNS_SERVER=ADDRESS"


def test_a_resolver_that_is_not_there_decides_nothing(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{free.getsockname()[1]}"
    result = looked_up(tmp_path, azure, public, ZONED, AKS_KAITO_DNS_SERVER=nowhere)
    assert result["chat CAA"].state == "unknown"


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
    assert [result[each].state for each in ("zone", "delegation", RECORD)] == ["unknown"] * 3


def test_a_servers_failure_is_not_taken_for_an_absence(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    public.rcodes["chat.kaito.dev"] = dns.rcode.SERVFAIL
    result = looked_up(tmp_path, azure, public, CHAT)
    assert [each.state for each in result.values()] == ["unknown", "unknown"]


def test_a_running_environment_is_told_and_not_stopped(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    azure.answer(CLUSTER, {"properties": {}})
    public.referrals["kaito.dev"] = []
    public.records["kaito.dev CAA"] = ['0 issue "digicert.com"']
    result = looked_up(tmp_path, azure, public)
    assert {subject: each.state for subject, each in result.items()} == {
        "zone": "ok",
        "delegation": "warning",
        "chat record": "ok",
        "chat CAA": "warning",
    }
    azure.answer(CLUSTER, error(404, "ResourceNotFound"))
    result = looked_up(tmp_path, azure, public)
    assert (result["delegation"].state, result["chat CAA"].state) == ("blocker", "blocker")
    assert result["chat CAA"].remedy == 'Add to kaito.dev a CAA record: 0 issue "letsencrypt.org"'
