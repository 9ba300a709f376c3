"""Quota and VM sizes of a region against what an environment needs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.preflight import capacity, demand, resource_types
from support import ready_subscription as ready
from support.fake_azure import FakeAzure, error, running
from support.preflights import DEV, PROD, SAMPLE, found, written
from support.ready_subscription import A10, A100, DADS, restriction, sku, skus, usage, usages

REGIONAL = "Total Regional vCPUs"
SPOT = "Total Regional Spot vCPUs"
OF_DADS, OF_A10, OF_A100 = (f"Standard {name} Family vCPUs" for name in ("DADSv5", "NVADSA10v5", "NCADS_A100_v4"))
GROUP = f"{ready.SCOPE}/resourceGroups/rg-kaito-dev-westeurope"
POOLS = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-kaito-dev-westeurope/agentPools"


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running() as fake:
        yield fake


def checked(azure: FakeAzure, folder: Path, text: str = DEV, **answers: list[dict[str, Any]]) -> dict[str, Finding]:
    environment = written(folder, text)
    ready.prepare(azure, environment)
    for name, values in answers.items():
        azure.listed({"usages": ready.USAGES, "skus": ready.SKUS, "addresses": ready.ADDRESSES}[name], *values)
    return found(azure, environment, capacity.checks)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # System pool 1 x 4 to (3 + 1) x 4, user pool the same x 2, an A10 of 36 and one for its upgrade.
        (DEV, {REGIONAL: (42, 96), OF_DADS: (6, 24), OF_A10: (36, 72)}),
        # 3 x 4 to 7 x 4, 3 x 4 to 11 x 4, an A100 of 24, a jump box of 2.
        (PROD, {REGIONAL: (50, 122), OF_DADS: (26, 74), OF_A100: (24, 48)}),
        # Both pools 3 x 4 to 11 x 4, an A100, a jump box of 4.
        (SAMPLE, {REGIONAL: (52, 140), OF_DADS: (28, 92), OF_A100: (24, 48)}),
        # A standby runs beside the model.
        (
            DEV.replace("[model]", '[model]\nstandby_instance_type = "Standard_NC24ads_A100_v4"'),
            {REGIONAL: (66, 144), OF_DADS: (6, 24), OF_A10: (36, 72), OF_A100: (24, 48)},
        ),
        # Three copies, and one for the upgrade.
        (
            DEV.replace("[model]", "[model]\nreplicas = 3"),
            {REGIONAL: (114, 168), OF_DADS: (6, 24), OF_A10: (108, 144)},
        ),
        (DEV + "[kaito]\nenabled = false\n", {REGIONAL: (6, 24), OF_DADS: (6, 24)}),
        # A spot pool counts in a quota of its own only, and has no surge.
        (
            DEV.replace("[user_pool]", "[user_pool]\nspot_enabled = true"),
            {REGIONAL: (40, 88), OF_DADS: (4, 16), SPOT: (2, 6), OF_A10: (36, 72)},
        ),
        # 25 nodes have a surge of 10 %, rounded up.
        (DEV.replace("max_count = 3", "max_count = 25", 1), {REGIONAL: (42, 192), OF_DADS: (6, 120), OF_A10: (36, 72)}),
        (
            DEV.replace("min_count = 1", "min_count = 1\nnode_count = 2", 1),
            {REGIONAL: (46, 96), OF_DADS: (10, 24), OF_A10: (36, 72)},
        ),
    ],
)
def test_each_quota_is_compared_with_the_sum_of_all_machines(
    text: str, expected: dict[str, tuple[int, int]], azure: FakeAzure, tmp_path: Path
) -> None:
    findings = checked(azure, tmp_path, text)
    of_vcpus = {name: each for name, each in findings.items() if name.endswith("vCPUs")}
    needs = {
        name: f"0 of 200 used; needs {first} at the start, {most} at most (max_count and an upgrade)"
        for name, (first, most) in expected.items()
    }
    assert {name: each.detail for name, each in of_vcpus.items()} == needs
    assert {each.state for each in of_vcpus.values()} == {"ok"}


def test_nodes_in_no_pool_are_the_environments_own(azure: FakeAzure, tmp_path: Path) -> None:
    text = DEV + '[kaito]\ndistribution = "helm"\nversion = "0.12.0"\n'
    nodes = "MC_rg-kaito-dev-westeurope_aks-kaito-dev-westeurope_westeurope"
    machines = f"{ready.SCOPE}/resourceGroups/{nodes}/providers/Microsoft.Compute/virtualMachines"
    size = {"hardwareProfile": {"vmSize": "Standard_NV36ads_A10_v5"}}
    azure.listed(POOLS)
    azure.listed(machines, {"properties": size}, {"properties": {**size, "priority": "Spot"}})
    for each, used in ((text, "36 of those used are this environment's"), (DEV, "")):
        finding = checked(azure, tmp_path, each, usages=usages(usage(A10, 36, 72)))[OF_A10]
        assert (finding.state, used in finding.detail) == ("ok" if used else "warning", True)


@pytest.mark.parametrize(
    ("changed", "subject", "state", "limit"),
    [
        (usage(A10, 0, 35), OF_A10, "blocker", 72),
        (usage(A10, 0, 36), OF_A10, "warning", 72),
        (usage(A10, 0, 71), OF_A10, "warning", 72),
        (usage(A10, 0, 72), OF_A10, "ok", None),
        (usage(A10, 100, 135), OF_A10, "blocker", 172),
        (usage(A10, 0, 0), OF_A10, "blocker", 72),
        # A limit that was lowered below the use, and none at all.
        (usage(A10, 72, 36), OF_A10, "blocker", 144),
        (usage(A10, 72, -1), OF_A10, "ok", None),
        (usage("cores", 159, 200), REGIONAL, "blocker", 255),
        (usage("cores", 150, 200), REGIONAL, "warning", 246),
        (usage(DADS, 195, 200), OF_DADS, "blocker", 219),
    ],
)
def test_too_little_for_the_start_blocks_and_too_little_for_the_maximum_warns(
    changed: dict[str, Any], subject: str, state: str, limit: int | None, azure: FakeAzure, tmp_path: Path
) -> None:
    finding = checked(azure, tmp_path, usages=usages(changed))[subject]
    assert finding.state == state
    scope = f"{ready.SCOPE}/providers/Microsoft.Compute/locations/westeurope"
    request = (
        f"az quota update --resource-name {changed['name']['value']} --scope {scope} "
        f"--limit-object value={limit} limit-object-type=LimitValue --resource-type dedicated"
    )
    assert finding.remedy == ("" if limit is None else request + (", or lower max_count" if state == "warning" else ""))


def test_spot_nodes_have_a_quota_of_their_own(azure: FakeAzure, tmp_path: Path) -> None:
    text = DEV.replace("[user_pool]", "[user_pool]\nspot_enabled = true")
    finding = checked(azure, tmp_path, text, usages=usages(usage("lowPriorityCores", 0, 1)))[SPOT]
    assert (finding.state, "--resource-type lowPriority" in finding.remedy) == ("blocker", True)


def test_the_deployed_environment_does_not_count_twice(azure: FakeAzure, tmp_path: Path) -> None:
    environment = written(tmp_path)
    ready.prepare(azure, environment)
    pools = [
        {"name": "system", "properties": {"count": 2, "vmSize": "Standard_D4ads_v5"}},
        {"name": "user", "properties": {"count": 1, "vmSize": "Standard_D2ads_v5"}},
        # KAITO's, and a spot pool, which the family's quota does not count.
        {"name": "ws5a7c", "properties": {"count": 1, "vmSize": "standard_nv36ads_a10_v5"}},
        {"name": "mine", "properties": {"count": 9, "vmSize": "Standard_D4ads_v5", "scaleSetPriority": "Spot"}},
    ]
    azure.listed(POOLS, *pools)
    azure.listed(ready.USAGES, *usages(usage("cores", 46, 96), usage(DADS, 10, 24), usage(A10, 36, 36)))
    findings = found(azure, environment, capacity.checks)
    assert (findings[REGIONAL].state, findings[OF_DADS].state, findings[OF_A10].state) == ("ok", "ok", "warning")
    assert findings[REGIONAL].detail.endswith("; 46 of those used are this environment's")
    assert "value=72 " in findings[OF_A10].remedy

    # Without the right to see them, enough is enough, and too little cannot be decided.
    azure.answer(POOLS, error(403, "AuthorizationFailed"))
    findings = found(azure, environment, capacity.checks)
    assert (findings[REGIONAL].state, findings[OF_A10].state) == ("warning", "unknown")
    assert findings[OF_A10].detail.endswith("the environment's own use cannot be read")


@pytest.mark.parametrize(
    ("text", "number"), [(DEV, 2), (PROD, 3), (SAMPLE, 3), (DEV + '[ingress]\nmode = "none"\n', 1)]
)
def test_public_addresses_are_compared(text: str, number: int, azure: FakeAzure, tmp_path: Path) -> None:
    title = "Public IPv4 Addresses - Standard"
    enough = [usage("StandardSkuPublicIpAddresses", 20 - number, 20)]
    finding = checked(azure, tmp_path, text, addresses=enough)[title]
    assert (finding.state, finding.detail) == ("ok", f"{20 - number} of 20 used; needs {number} at the start")
    finding = checked(azure, tmp_path, text, addresses=[usage("StandardSkuPublicIpAddresses", 21 - number, 20)])[title]
    assert finding.state == "blocker"
    assert "--resource-name StandardSkuPublicIpAddresses" in finding.remedy
    assert finding.remedy.endswith(
        "--limit-object value=21 limit-object-type=LimitValue --resource-type PublicIpAddresses"
    )


def test_it_says_that_quota_is_not_capacity(azure: FakeAzure, tmp_path: Path) -> None:
    finding = checked(azure, tmp_path)["capacity"]
    assert (finding.state, finding.detail.startswith("quota is not capacity")) == ("info", True)


D4, GPU = "Standard_D4ads_v5", "Standard_NV36ads_A10_v5"


@pytest.mark.parametrize(
    ("listed", "subject", "state", "words"),
    [
        (skus(without=GPU), "model phi-4-mini-instruct", "blocker", f"westeurope does not have {GPU}"),
        (
            skus(sku(GPU, restrictions=[restriction("Location")])),
            "model phi-4-mini-instruct",
            "blocker",
            f"{GPU} in westeurope: Azure does not offer it to this subscription",
        ),
        (
            skus(sku(D4, restrictions=[restriction("Location", "QuotaId")])),
            "system pool",
            "blocker",
            f"{D4} in westeurope: the subscription's offer does not include it",
        ),
        (
            skus(sku(D4, restrictions=[restriction("Zone", zones=["1", "2"])])),
            "system pool",
            "blocker",
            f"{D4} is not offered in zone 1 of westeurope; those that have it for this subscription: 3",
        ),
        (
            skus(sku(D4, restrictions=[restriction("Zone", zones=["2", "3"])])),
            "system pool",
            "ok",
            "westeurope, zone 1",
        ),
        (skus(sku(D4, zones=[])), "system pool", "blocker", "for this subscription: none"),
        # KAITO asks for no zone.
        (skus(sku(GPU, zones=[])), "model phi-4-mini-instruct", "ok", f"{GPU} is offered in westeurope"),
    ],
)
def test_sizes_are_offered_in_the_region_and_each_zone(
    listed: list[dict[str, Any]], subject: str, state: str, words: str, azure: FakeAzure, tmp_path: Path
) -> None:
    finding = checked(azure, tmp_path, skus=listed)[subject]
    assert finding.state == state
    assert words in finding.detail
    assert bool(finding.remedy) is (state == "blocker")


def test_a_size_must_encrypt_at_the_host_where_the_pool_does(azure: FakeAzure, tmp_path: Path) -> None:
    text = DEV.replace("[system_pool]", "[system_pool]\nhost_encryption_enabled = true")
    finding = checked(azure, tmp_path, text, skus=skus(sku(D4, encrypts="False")))["system pool"]
    assert (finding.state, finding.detail) == ("blocker", f"{D4} cannot encrypt at the host")


def test_the_number_of_gpu_nodes_may_be_unknown(azure: FakeAzure, tmp_path: Path) -> None:
    text = DEV.replace("[model]", '[kaito]\nversion = "0.12.0"\n[model]\npreset = "nobody/knows-this-one"')
    findings = checked(azure, tmp_path, text)
    assert {findings[name].state for name in (REGIONAL, OF_A10)} == {"unknown"}
    assert findings[OF_DADS].state == "ok"


def test_a_refused_or_odd_answer_is_never_a_pass(azure: FakeAzure, tmp_path: Path) -> None:
    environment = written(tmp_path)
    for answer in (
        error(403, "AuthorizationFailed"),
        error(404, "NotFound"),
        {"value": [{"name": "a"}]},
        {"value": None},
    ):
        for path in (ready.USAGES, ready.SKUS):
            ready.prepare(azure, environment)
            azure.answer(path, answer)
            assert found(azure, environment, capacity.checks)["vCPUs"].state == "unknown"
    ready.prepare(azure, environment)
    azure.listed(ready.USAGES)
    assert found(azure, environment, capacity.checks)["cores"].state == "unknown"
    ready.prepare(azure, environment)
    azure.listed(ready.SKUS, *skus(without=GPU))
    assert found(azure, environment, capacity.checks)[f"vCPUs of {GPU}"].state == "unknown"


def test_an_autoscaled_model_starts_with_its_minimum(tmp_path: Path) -> None:
    # The rules refuse autoscaling with the add-on, so that no file has it.
    settings = written(tmp_path).settings
    model = settings.model.model_copy(update={"min_replicas": 2, "max_replicas": 5})
    found = demand.of(settings.model_copy(update={"model": model}))[2]
    assert (found.purpose, found.first, found.most) == ("model phi-4-mini-instruct", 2, 6)


def test_every_machine_is_counted_once(tmp_path: Path) -> None:
    purposes = [each.purpose for each in demand.of(written(tmp_path, PROD).settings)]
    assert purposes == ["system pool", "user pool", "model phi-4-mini-instruct", "jump box"]
    assert resource_types.public_addresses(written(tmp_path, PROD).settings) == 3


def test_the_quota_of_the_model_is_that_of_the_summary(azure: FakeAzure, tmp_path: Path) -> None:
    findings = checked(azure, tmp_path, PROD, usages=usages(usage(A100, 0, 23)))
    assert findings[OF_A100].state == "blocker"
