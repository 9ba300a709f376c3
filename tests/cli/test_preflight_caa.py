"""CAA records: whose decide for a host, and whether Let's Encrypt may issue."""

from collections.abc import Iterator

import pytest

from aks_kaito_cli.preflight.caa import judged
from aks_kaito_cli.preflight.resolver import Caa, Resolver
from support.fake_dns import FakeDns, running


@pytest.fixture
def public() -> Iterator[FakeDns]:
    with running() as fake:
        yield fake


def resolver(public: FakeDns) -> Resolver:
    return Resolver({"AKS_KAITO_DNS_SERVER": public.address})


@pytest.mark.parametrize(
    ("records", "domain"),
    [
        ({}, ""),
        ({"chat.kaito.dev CAA": ['0 issue "a.net"'], "kaito.dev CAA": ['0 issue "b.net"']}, "chat.kaito.dev"),
        ({"chat.kaito.dev A": ["203.0.113.9"], "kaito.dev CAA": ['0 issue "b.net"']}, "kaito.dev"),
        ({"dev CAA": ['0 issue "c.net"']}, "dev"),
        # An alias of the host leads to records; its target's parents have no say.
        ({"chat.kaito.dev CNAME": ["door.net."], "door.net CAA": ['0 issue "d.net"']}, "chat.kaito.dev"),
        ({"chat.kaito.dev CNAME": ["x.door.net."], "door.net CAA": ['0 issue "d.net"']}, ""),
    ],
)
def test_the_closest_name_with_records_decides(public: FakeDns, records: dict[str, list[str]], domain: str) -> None:
    public.records |= records
    assert resolver(public).caa("chat.kaito.dev").domain == domain


def test_records_are_read_with_flags_and_tags_in_lower_case(public: FakeDns) -> None:
    public.records["kaito.dev CAA"] = [
        '128 Issue "letsencrypt.org; validationmethods=dns-01"',
        '0 iodef "mailto:a@b.c"',
    ]
    assert resolver(public).caa("kaito.dev") == Caa(
        "kaito.dev",
        ((0, "iodef", "mailto:a@b.c"), (128, "issue", "letsencrypt.org; validationmethods=dns-01")),
    )


@pytest.mark.parametrize(
    ("records", "state", "text"),
    [
        ([(0, "issue", "letsencrypt.org")], "ok", "let letsencrypt.org issue"),
        ([(0, "issue", " LetsEncrypt.org. ")], "ok", "let letsencrypt.org issue"),
        ([(0, "issue", "digicert.com"), (0, "issue", "letsencrypt.org")], "ok", "let letsencrypt.org issue"),
        ([(0, "issue", "digicert.com")], "blocker", "let digicert.com issue, not letsencrypt.org"),
        ([(0, "issue", ";")], "blocker", "let nobody issue, not letsencrypt.org"),
        ([(0, "issue", "")], "blocker", "let nobody issue"),
        ([(0, "issue", "letsencrypt.org.evil.net")], "blocker", "let letsencrypt.org.evil.net issue"),
        # Without an issue property, the others do not restrict this host.
        ([(0, "iodef", "mailto:a@b.c")], "ok", "name no issuer"),
        ([(0, "issuewild", ";")], "ok", "name no issuer"),
        ([(128, "issue", "letsencrypt.org")], "ok", "let letsencrypt.org issue"),
        ([(128, "future", "x"), (0, "issue", "letsencrypt.org")], "blocker", "critical CAA property future"),
        ([(0, "future", "x"), (0, "issue", "letsencrypt.org")], "ok", "let letsencrypt.org issue"),
        ([(0, "issue", "letsencrypt.org; validationmethods=dns-01,http-01")], "ok", "let letsencrypt.org issue"),
        ([(0, "issue", "letsencrypt.org;validationmethods=http-01")], "blocker", "validate by http-01, and"),
        (
            [(0, "issue", "letsencrypt.org; accounturi=https://acme/1")],
            "warning",
            "name an account, and cert-manager creates its own",
        ),
        (
            [(0, "issue", "letsencrypt.org; accounturi=https://acme/1"), (0, "issue", "letsencrypt.org")],
            "ok",
            "let letsencrypt.org issue",
        ),
    ],
)
def test_lets_encrypt_may_issue_or_not(records: list[tuple[int, str, str]], state: str, text: str) -> None:
    found, observation, remedy = judged(Caa("kaito.dev", tuple(records)), "dns-01")
    assert found == state
    assert text in observation
    assert bool(remedy) is (state != "ok")


def test_the_challenge_without_a_zone_is_another() -> None:
    caa = Caa("kaito.dev", ((0, "issue", "letsencrypt.org; validationmethods=dns-01"),))
    assert judged(caa, "http-01")[0] == "blocker"
    assert judged(caa, "dns-01")[0] == "ok"
