"""Secrets, versions, images, the database, the address and the certificate, with their dates."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from aks_kaito.catalog import CATALOG
from aks_kaito.settings import Environment, load
from aks_kaito_cli.answers import Finding, side_by_side
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.status import address, azure_cluster
from aks_kaito_cli.status.day_two import DayTwo
from aks_kaito_cli.status.models import words_of
from aks_kaito_cli.status.questions import Section
from support.fake_azure import Credential, FakeAzure, error
from support.fake_azure import running as azure_running
from support.kaito_cluster import (
    CLUSTER,
    GROUP,
    NOW,
    SUBSCRIPTION,
    ago,
    cluster,
    condition,
    event,
    managed_cluster,
    pool,
)
from support.project import TODAY
from support.stand_ins import DEV, SIGN_IN

VERSIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions"
DATABASE = "\n[postgresql]\nenabled = true\nbackup_retention_days = 14\n"
DAY = 86400


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with azure_running() as fake:
        fake.answer(CLUSTER, managed_cluster())
        fake.listed(f"{CLUSTER}/agentPools", pool("system"))
        yield fake


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    path = tmp_path / "dev.toml"
    path.write_text(DEV + SIGN_IN + DATABASE, encoding="utf-8")
    return load(path, TODAY)


def findings(azure: FakeAzure, environment: Environment) -> dict[str, Finding]:
    arm = Arm(Credential(), azure.endpoint)
    checks = DayTwo(environment, arm, GROUP, azure_cluster.read(arm, CLUSTER), NOW).checks()
    return {each.subject: each for each in side_by_side(checks, (AzureAnswerError,))}


@pytest.mark.parametrize(
    ("version", "plan", "offered", "state", "words"),
    [
        ("1.36.1", "KubernetesOfficial", ["1.36"], "ok", "1.36.1: support ends on 2027-06-30, in 214 days"),
        ("1.34.9", "KubernetesOfficial", ["1.34"], "warning", "support ends on 2026-11-30, in 2 days"),
        (
            "1.33.0",
            "KubernetesOfficial",
            ["1.34"],
            "warning",
            "ended on 2026-07-31; westeurope does not offer it any more",
        ),
        ("1.33.0", "AKSLongTermSupport", ["1.33"], "ok", "support with long-term support ends on 2027-07-31"),
        ("1.36.1", "KubernetesOfficial", ["1.37"], "warning", "in 214 days; westeurope does not offer it any more"),
        ("1.99.0", "KubernetesOfficial", [], "unknown", "the catalog has no end of its support"),
    ],
)
def test_the_end_of_support_is_akss(
    azure: FakeAzure, environment: Environment, version: str, plan: str, offered: list[str], state: str, words: str
) -> None:
    azure.answer(CLUSTER, managed_cluster(currentKubernetesVersion=version, supportPlan=plan))
    azure.answer(VERSIONS, {"values": [{"version": each} for each in offered]})
    found = findings(azure, environment)["Kubernetes version"]
    assert (found.state, words in found.detail) == (state, True)
    assert ("upgrade-kubernetes.md" in found.remedy) is (state != "ok")


def test_the_catalog_knows_the_version_of_the_shipped_environments(environment: Environment) -> None:
    known = CATALOG.kubernetes_versions[environment.settings.cluster.kubernetes_version]
    assert known.end_of_support > date(2027, 1, 1)


@pytest.mark.parametrize(
    ("image", "state", "words"),
    [
        ("AKSUbuntu-2404gen2containerd-202611.10.0", "ok", "18 days old"),
        ("AKSUbuntu-2204gen2containerd-202609.29.0", "ok", "60 days old"),
        ("AKSUbuntu-2204gen2containerd-202609.28.0", "warning", "61 days old"),
        ("AKSAzureLinux-V3gen2-202509.5.0", "warning", "449 days old"),
        ("custom", "unknown", "the version custom has no date"),
    ],
)
def test_the_age_of_a_node_image_is_in_its_name(
    azure: FakeAzure, environment: Environment, image: str, state: str, words: str
) -> None:
    azure.listed(f"{CLUSTER}/agentPools", pool("system", nodeImageVersion=image))
    found = findings(azure, environment)["node image of system"]
    assert (found.state, words in found.detail) == (state, True)
    assert ("--name system --node-image-only" in found.remedy) is (state == "warning")


def vault(environment: Environment, secret: str) -> str:
    return f"{GROUP}/providers/Microsoft.KeyVault/vaults/{environment.names.key_vault}/secrets/{secret}"


@pytest.mark.parametrize(
    ("attributes", "state", "words"),
    [
        ({"enabled": True}, "info", "has no end in the vault"),
        ({"exp": int((NOW + timedelta(days=200)).timestamp())}, "ok", "in 200 days"),
        ({"exp": int((NOW + timedelta(days=30)).timestamp())}, "warning", "ends on 2026-12-28, in 30 days"),
        ({"exp": int((NOW - timedelta(days=2)).timestamp())}, "blocker", "ended on 2026-11-26"),
    ],
)
def test_secrets_have_an_end(
    azure: FakeAzure, environment: Environment, attributes: dict[str, Any], state: str, words: str
) -> None:
    azure.answer(vault(environment, "chat-auth-secret"), {"properties": {"attributes": attributes}})
    azure.answer(vault(environment, "chat-entra-client-secret"), error(403, "AuthorizationFailed"))
    found = findings(azure, environment)
    secret = found["secret chat-auth-secret"]
    assert (secret.state, words in secret.detail) == (state, True)
    assert found["secret chat-entra-client-secret"].state == "unknown"
    azure.answers.pop(vault(environment, "chat-auth-secret").lower())
    assert findings(azure, environment)["secret chat-auth-secret"].state == "blocker"


def server(environment: Environment) -> str:
    return f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/{environment.names.postgresql}"


def metric(*values: float | None) -> dict[str, Any]:
    data = [{"timeStamp": ago(60)} if each is None else {"timeStamp": ago(60), "maximum": each} for each in values]
    return {"value": [{"name": {"value": "storage_percent"}, "timeseries": [{"metadatavalues": [], "data": data}]}]}


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (metric(10, 12.4, None), "ok", "uses 12 % of 32 GiB"),
        (metric(80), "warning", "uses 80 % of 32 GiB"),
        (metric(95.2), "blocker", "read-only"),
        (metric(), "unknown", "no value of storage_percent"),
        ({"value": []}, "unknown", "no value"),
        (error(403, "AuthorizationFailed"), "unknown", "AuthorizationFailed"),
    ],
)
def test_the_database_has_room(azure: FakeAzure, environment: Environment, answer: Any, state: str, words: str) -> None:
    azure.answer(f"{server(environment)}/providers/Microsoft.Insights/metrics", answer)
    found = findings(azure, environment)["database"]
    assert (found.state, words in found.detail) == (state, True)
    (asked,) = azure.asked("metrics")
    assert asked.query["timespan"] == ["2026-11-27T12:00:00Z/2026-11-28T12:00:00Z"]


def test_history_is_kept_as_long_as_the_file_says(azure: FakeAzure, environment: Environment) -> None:
    azure.answer(server(environment), {"properties": {"state": "Ready", "backup": {"backupRetentionDays": 14}}})
    assert "14 days longer in backups" in findings(azure, environment)["history"].detail
    azure.answer(server(environment), {"properties": {"state": "Stopped", "backup": {"backupRetentionDays": 7}}})
    found = findings(azure, environment)
    assert (found["history"].state, found["database server"].state) == ("warning", "blocker")


CHAT = {"metadata": {"name": "kaito-chat"}, "status": {"loadBalancer": {"ingress": [{"ip": "52.174.1.2"}]}}}


def of_address(environment: Environment, host: str | None = "52.174.1.2", **given: Any) -> dict[str, Finding]:
    def resolve(_host: str) -> set[str]:
        if host is None:
            raise OSError("Name or service not known")
        return {host}

    found = address.findings(cluster(**given), environment, words_of(environment), NOW, resolve)
    return {each.subject: each for each in found}


CERTIFICATE: dict[str, Any] = {
    "metadata": {"name": "kaito-chat-tls", "creationTimestamp": ago(1200)},
    "status": {
        "notAfter": ago(-60 * DAY),
        "conditions": [condition("Ready", "True", "Ready", "Certificate is up to date")],
    },
}


def pending(age: float = 1200) -> dict[str, Any]:
    return {
        "metadata": {"name": "kaito-chat-tls", "creationTimestamp": ago(age)},
        "status": {
            "conditions": [condition("Ready", "False", "DoesNotExist", "Issuing certificate as Secret does not exist")]
        },
    }


def challenge(reason: str) -> dict[str, Any]:
    return {"metadata": {"name": "kaito-chat-tls-1-2-3"}, "status": {"state": "pending", "reason": reason}}


def test_a_published_chat_has_address_record_and_certificate(environment: Environment) -> None:
    found = of_address(environment, ingresses=[CHAT], certificates=[CERTIFICATE])
    assert {each: finding.state for each, finding in found.items()} == {
        "ingress controller": "ok",
        "record of chat.kaito.dev": "ok",
        "kaito-chat-tls": "ok",
    }
    assert found["kaito-chat-tls"].detail == "is valid until 2027-01-27"


@pytest.mark.parametrize(
    ("host", "given", "subject", "state", "words"),
    [
        ("52.174.1.2", {}, "ingress controller", "blocker", "the ingress controller has no public address"),
        (
            "52.174.1.2",
            {"service_events": [event("Service", "nginx", "SyncLoadBalancerFailed", "PublicIPCountLimitReached: no")]},
            "ingress controller",
            "blocker",
            "no quota for another public address in westeurope",
        ),
        ("x", {"ingresses": Section(error="Forbidden")}, "ingress controller", "unknown", "Forbidden"),
        (None, {"ingresses": [CHAT]}, "record of chat.kaito.dev", "blocker", "has no address in the DNS"),
        ("10.1.2.3", {"ingresses": [CHAT]}, "record of chat.kaito.dev", "warning", "leads to 10.1.2.3"),
        ("x", {}, "chat", "blocker", "the chat has no certificate: there is none"),
        ("x", {"certificates": Section(absent=True)}, "chat", "blocker", "cert-manager is not installed"),
        ("x", {"certificates": Section(error="Forbidden")}, "cert-manager", "unknown", "Forbidden"),
        ("x", {"certificates": [pending(30)]}, "kaito-chat-tls", "unknown", "is being issued since 30 s"),
        (
            "x",
            {"certificates": [pending()], "challenges": [challenge("dial tcp: lookup chat.kaito.dev: no such host")]},
            "kaito-chat-tls",
            "blocker",
            "waits for the host name's DNS record (pending dial tcp",
        ),
        (
            "x",
            {"certificates": [pending()], "orders": [challenge("429 urn:ietf:params:acme:error:rateLimited")]},
            "kaito-chat-tls",
            "blocker",
            "issues no more certificates",
        ),
    ],
)
def test_each_part_of_the_address_may_be_missing(
    environment: Environment, host: str | None, given: dict[str, Any], subject: str, state: str, words: str
) -> None:
    found = of_address(environment, host, **given)[subject]
    assert (found.state, words in found.detail) == (state, True)
    assert found.remedy or state == "unknown"


@pytest.mark.parametrize(
    ("days", "state", "words"),
    [(20, "ok", "is valid until"), (13, "warning", "ends in 13 days"), (-3, "blocker", "expired 3 d 0 h ago")],
)
def test_a_certificate_that_is_not_renewed_is_noticed(
    environment: Environment, days: int, state: str, words: str
) -> None:
    certificate = {**CERTIFICATE, "status": {**CERTIFICATE["status"], "notAfter": ago(-days * DAY)}}
    found = of_address(environment, ingresses=[CHAT], certificates=[certificate])["kaito-chat-tls"]
    assert (found.state, words in found.detail) == (state, True)


def test_a_gateway_has_an_address_too(environment: Environment) -> None:
    gateway = {
        "metadata": {"name": "kaito-chat"},
        "status": {"addresses": [{"type": "IPAddress", "value": "52.174.1.2"}]},
    }
    assert of_address(environment, gateways=[gateway])["ingress controller"].state == "ok"
