"""The Kubernetes version: offered in the region for the support plan, or reachable from the one that runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.preflight import services
from support.fake_azure import FakeAzure, Reply, error, running
from support.preflight_checks import GROUP, context, found
from support.ready_region import OFFERED, VERSIONS, version

CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-kaito-dev-westeurope"
LTS = ['sku_tier = "Premium"', 'support_plan = "AKSLongTermSupport"']


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running() as fake:
        fake.answer(VERSIONS, {"values": OFFERED})
        yield fake


def checked(folder: Path, azure: FakeAzure, *lines: str) -> Finding:
    # A patch version needs another channel than the default.
    edits = {"cluster": ['automatic_upgrade_channel = "none"', *lines]}
    return found(services.checks(context(folder, azure, edits)))["Kubernetes version"]


@pytest.mark.parametrize(
    ("lines", "state", "detail", "remedy"),
    [
        (['"1.35"'], "ok", "AKS offers 1.35 in westeurope (KubernetesOfficial), now 1.35.10", ""),
        (['"1.35.2"'], "ok", "AKS offers 1.35.2 in westeurope", ""),
        (['"1.34"', *LTS], "ok", "AKS offers 1.34 in westeurope (AKSLongTermSupport)", ""),
        (
            ['"1.36"'],
            "blocker",
            "AKS does not offer 1.36 in westeurope",
            "Set cluster.kubernetes_version to one of 1.34, 1.35, 1.37",
        ),
        (
            ['"1.36"', *LTS],
            "blocker",
            "AKS does not offer 1.36 in westeurope",
            "Set cluster.kubernetes_version to one of 1.33, 1.34",
        ),
        (
            ['"1.35.3"'],
            "blocker",
            "AKS does not offer 1.35.3 in westeurope; of 1.35 it offers 1.35.2, 1.35.10",
            'Set cluster.kubernetes_version = "1.35"',
        ),
        (
            ['"1.33"'],
            "blocker",
            "AKS offers 1.33 in westeurope with AKSLongTermSupport only, not with KubernetesOfficial",
            'or set cluster.support_plan = "AKSLongTermSupport" and cluster.sku_tier = "Premium"',
        ),
        (
            ['"1.35"', *LTS],
            "blocker",
            "AKS offers 1.35 in westeurope with KubernetesOfficial only, not with AKSLongTermSupport",
            "Set cluster.kubernetes_version to one of 1.33, 1.34",
        ),
        (['"1.37"'], "warning", "1.37 is a preview in westeurope, without support", "one of 1.34, 1.35, 1.37"),
    ],
)
def test_a_version_is_offered_or_not(
    tmp_path: Path, azure: FakeAzure, lines: list[str], state: str, detail: str, remedy: str
) -> None:
    result = checked(tmp_path, azure, f"kubernetes_version = {lines[0]}", *lines[1:])
    assert result.state == state
    assert detail in result.detail
    assert remedy in result.remedy
    assert bool(result.remedy) is bool(remedy)


@pytest.mark.parametrize(
    ("runs", "wanted", "state", "detail"),
    [
        # AKS no longer offers it to new clusters.
        ("1.32.9", "1.32", "ok", "the cluster runs 1.32.9"),
        ("1.35.10", "1.35", "ok", "the cluster runs 1.35.10"),
        ("1.35.10", "1.34", "warning", "the cluster runs 1.35.10, newer than 1.34: AKS cannot downgrade"),
        ("1.34.4", "1.35", "ok", "AKS offers 1.35 in westeurope"),
        ("1.35.2", "1.36", "blocker", "AKS does not offer 1.36"),
        ("1.33.9", "1.35", "blocker", "the cluster runs 1.33.9, and AKS upgrades to 1.35 one minor version at a time"),
        ("1.9.1", "1.35", "blocker", "the cluster runs 1.9.1"),
    ],
)
def test_the_version_that_runs_decides_on_a_second_deployment(
    tmp_path: Path, azure: FakeAzure, runs: str, wanted: str, state: str, detail: str
) -> None:
    azure.answer(CLUSTER, {"properties": {"kubernetesVersion": "1.1", "currentKubernetesVersion": runs}})
    result = checked(tmp_path, azure, f'kubernetes_version = "{wanted}"')
    assert result.state == state
    assert detail in result.detail


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (error(403, "AuthorizationFailed"), "HTTP 403"),
        (error(401, "ExpiredAuthenticationToken"), "HTTP 401"),
        (error(429, "TooManyRequests", Retry_After="300"), "wait 300 seconds"),
        (error(404, "InvalidLocation"), "HTTP 404"),
        (Reply(200, b"busy"), "no JSON object"),
        ({"value": OFFERED}, "KeyError: 'values'"),
        ({"values": [{"version": "1.35"}]}, "KeyError: 'capabilities'"),
        ({"values": [version("one")]}, "another form than expected"),
        ({"values": None}, "another form than expected"),
    ],
)
def test_an_answer_that_decides_nothing_is_never_a_pass(
    tmp_path: Path, azure: FakeAzure, answer: Any, text: str
) -> None:
    azure.answer(VERSIONS, answer)
    result = checked(tmp_path, azure)
    assert result.state == "unknown"
    assert text in result.detail


def test_a_region_without_versions_is_a_blocker(tmp_path: Path, azure: FakeAzure) -> None:
    azure.answer(VERSIONS, {"values": []})
    result = checked(tmp_path, azure)
    assert (result.state, result.remedy) == ("blocker", "Set cluster.kubernetes_version to one of (none)")


def test_a_cluster_that_cannot_be_read_decides_nothing(tmp_path: Path, azure: FakeAzure) -> None:
    azure.answer(CLUSTER, error(403, "AuthorizationFailed"))
    assert checked(tmp_path, azure).state == "unknown"


def test_an_unregistered_provider_is_named_with_its_command(tmp_path: Path, azure: FakeAzure) -> None:
    azure.answer(VERSIONS, error(409, "MissingSubscriptionRegistration"))
    result = checked(tmp_path, azure)
    assert (result.state, result.remedy) == (
        "unknown",
        "az provider register --namespace Microsoft.ContainerService --wait",
    )
