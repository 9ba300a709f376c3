"""Records of the host names: in the way, this environment's own, or yet to be created."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fake_azure import FakeAzure
from support.fake_azure import running as running_azure
from support.fake_dns import FakeDns
from support.fake_dns import running as running_dns
from support.host_names import CHAT, RECORD, SERVERS, ZONE, ZONED, address, looked_up, prepare, record, records


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


@pytest.mark.parametrize(
    ("existing", "state", "text", "command"),
    [
        (
            record("A", "chat", ARecords=[{"ipv4Address": "203.0.113.9"}]),
            "blocker",
            "an A record of chat points to 203.0.113.9, which is not this environment's address",
            "a delete --name chat",
        ),
        (
            record("A", "Chat", ARecords=[], targetResource={"id": "/subscriptions/x/frontDoors/door"}),
            "blocker",
            "an A record of chat points to another resource",
            "a delete --name chat",
        ),
        (
            record("CNAME", "chat", CNAMERecord={"cname": "old.example.net"}),
            "blocker",
            "a CNAME record of chat leads to old.example.net, and allows no record beside it",
            "cname delete --name chat",
        ),
        (
            record("AAAA", "chat", AAAARecords=[{"ipv6Address": "2001:db8::1"}]),
            "warning",
            "an AAAA record of chat leads visitors with IPv6 to 2001:db8::1",
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
    result = looked_up(tmp_path, azure, public)[RECORD]
    assert result.state == state
    assert text in result.detail
    assert (
        result.remedy
        == f"If nothing needs it: az network dns record-set {command} --zone-name kaito.dev --resource-group dns"
    )


def test_records_of_other_hosts_and_kinds_are_not_in_the_way(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    records(
        azure,
        record("A", "www", ARecords=[{"ipv4Address": "203.0.113.9"}]),
        record("TXT", "chat", TXTRecords=[{"value": ["a note"]}]),
        record("CNAME", "chat.old", CNAMERecord={"cname": "old.example.net"}),
    )
    assert looked_up(tmp_path, azure, public)[RECORD].state == "ok"


def test_a_delegation_above_the_host_is_in_the_way(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    records(azure, record("NS", "eu", NSRecords=[{"nsdname": "ns1.elsewhere.net."}]))
    edits = ZONED | {"ingress": ['hostname = "chat.eu.kaito.dev"', *ZONED["ingress"][1:]]}
    result = looked_up(tmp_path, azure, public, edits)[RECORD]
    assert (result.state, result.detail.partition(",")[0]) == ("blocker", "eu is delegated to ns1.elsewhere.net.")


def test_the_zones_own_name_can_be_the_host(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    edits = ZONED | {"ingress": ['hostname = "kaito.dev"', *ZONED["ingress"][1:]]}
    assert looked_up(tmp_path, azure, public, edits)[RECORD].state == "ok"
    records(azure, record("A", "@", ARecords=[{"ipv4Address": "203.0.113.9"}]))
    result = looked_up(tmp_path, azure, public, edits)[RECORD]
    assert result.state == "blocker"
    assert "a delete --name @" in result.remedy


def test_a_second_deployment_finds_its_own_record(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    records(azure, record("A", "chat", ARecords=[{"ipv4Address": "52.174.1.2"}]))
    address(azure, "52.174.1.2")
    result = looked_up(tmp_path, azure, public)[RECORD]
    assert (result.state, result.detail) == ("ok", "chat.kaito.dev has this environment's record")


def test_records_of_further_pages_are_seen(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    existing = record("A", "chat", ARecords=[{"ipv4Address": "203.0.113.9"}])
    azure.answer(f"{ZONE}/all", {"value": [], "nextLink": f"{azure.endpoint}{ZONE}/all?page=2"}, {"value": [existing]})
    assert looked_up(tmp_path, azure, public)[RECORD].state == "blocker"


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
    assert looked_up(tmp_path, azure, public, edits)[RECORD].state == state


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
    tmp_path: Path,
    azure: FakeAzure,
    public: FakeDns,
    ours: str,
    records_of_host: dict[str, list[str]],
    state: str,
    text: str,
) -> None:
    if ours:
        address(azure, ours)
    public.records |= {f"chat.kaito.dev {kind}": values for kind, values in records_of_host.items()}
    public.records["old.kaito.dev A"] = ["52.174.1.2"]
    result = looked_up(tmp_path, azure, public, CHAT)[RECORD]
    assert result.state == state
    assert text in result.detail
    if ours and state == "warning":
        assert result.remedy == "Create an A record to 52.174.1.2"


def test_each_host_name_is_checked(tmp_path: Path, azure: FakeAzure, public: FakeDns) -> None:
    model = ['model_hostname = "model.kaito.dev"', 'model_basic_auth_secret_name = "people"']
    result = looked_up(tmp_path, azure, public, ZONED | {"ingress": [*ZONED["ingress"], *model]})
    assert [subject for subject in result if "model" in subject] == ["model record", "model CAA"]
