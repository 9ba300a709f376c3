"""Checks of an environment's file that need no network."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from aks_kaito.catalog import CATALOG
from aks_kaito.models.tables import KAITO
from aks_kaito.settings import Environment, load
from aks_kaito_cli.answers import Finding, exit_status
from aks_kaito_cli.preflight.offline import findings
from support.environment_files import DEV, OPEN, edited, written
from support.project import ROOT, TODAY
from support.stand_ins import SIGN_IN

PROD = (ROOT / "environments" / "prod.toml").read_text(encoding="utf-8")
SAMPLE = (ROOT / "environments" / "sample.toml").read_text(encoding="utf-8")


def checked(
    folder: Path, edits: dict[str, list[str]], text: str = DEV, today: date = TODAY
) -> dict[str, list[Finding]]:
    """Return the findings by subject."""
    result: dict[str, list[Finding]] = {}
    for each in findings(load(written(folder, edited(edits, text)), TODAY), today):
        result.setdefault(each.subject, []).append(each)
    return result


def one(folder: Path, subject: str, edits: dict[str, list[str]], text: str = DEV, today: date = TODAY) -> Finding:
    (found,) = checked(folder, edits, text, today)[subject]
    return found


def test_an_own_environment_is_fine(tmp_path: Path) -> None:
    result = checked(tmp_path, {"": ['prefix = "contoso"']})
    assert {subject: [each.state for each in found] for subject, found in result.items()} == {
        subject: ["ok"]
        for subject in ("placeholders", "prefix", "state", "publication", "catalog", "KAITO's tables", "model")
    }
    assert exit_status(each for found in result.values() for each in found) == 0


def test_the_shipped_files_have_placeholders(tmp_path: Path) -> None:
    dev = (ROOT / "environments" / "dev.toml").read_text(encoding="utf-8")
    keys = {
        name: [each.remedy.split()[1] for each in checked(tmp_path, {}, text)["placeholders"]]
        for name, text in {"dev": dev, "prod": PROD, "sample": SAMPLE}.items()
    }
    assert keys == {
        "dev": ["cluster.ssh_public_key"],
        "prod": ["cluster.ssh_public_key", "ingress.hostname", "chat.entra_client_id"],
        "sample": [
            "cluster.ssh_public_key",
            "ingress.hostname",
            "ingress.dns_zone_name",
            "cluster.admin_group_object_ids",
            "monitoring.grafana_admin_object_ids",
        ],
    }
    found = checked(tmp_path, {}, PROD)["placeholders"]
    assert {each.state for each in found} == {"blocker"}
    assert all(each.remedy.endswith("dev.toml") for each in found)


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        (['prefix = "kaito"'], "warning"),
        (['prefix = "Anubi"'], "warning"),
        (['prefix = "KAITO"'], "warning"),
        (['prefix = "kaitos"'], "ok"),
        (['prefix = "kaito"', 'subscription_id = "8c5ba1d6-6e2f-4b0e-9d57-0e8f2f4b7a10"'], "ok"),
    ],
)
def test_a_shipped_prefix_is_told_and_stops_nothing(tmp_path: Path, lines: list[str], state: str) -> None:
    result = one(tmp_path, "prefix", {"": lines})
    assert result.state == state
    assert ("same names" in result.detail) is (state == "warning")
    assert result.remedy.startswith("Before the first deployment" if state == "warning" else "")


BLOB = ['backend = "azurerm"', 'resource_group_name = "state"', 'storage_account_name = "ourstates"']
JUMP = {"bastion": ["enabled = true"], "jump_box": ["enabled = true"]}


@pytest.mark.parametrize(
    ("edits", "state"),
    [
        ({}, "ok"),
        ({"state": BLOB}, "ok"),
        ({"cluster": ["private_cluster_enabled = true"]} | JUMP, "warning"),
        ({"cluster": ["private_cluster_enabled = true"], "state": BLOB} | JUMP, "ok"),
        ({"network": ["private_endpoints_enabled = true"], "registry": ['sku = "Premium"']} | JUMP, "warning"),
    ],
)
def test_a_private_environment_needs_a_shared_state(tmp_path: Path, edits: dict[str, list[str]], state: str) -> None:
    result = one(tmp_path, "state", edits)
    assert result.state == state
    if state == "warning":
        assert result.remedy == 'Set state.backend = "azurerm": docs/how-to/share-state.md'


@pytest.mark.parametrize(
    ("text", "state", "detail"),
    [
        (DEV, "ok", "the chat has no public address"),
        (
            f'{DEV}\n[ingress]\nhostname = "chat.kaito.dev"{OPEN}',
            "warning",
            "everyone who reaches https://chat.kaito.dev uses the GPU without sign-in",
        ),
        (
            f"{DEV}{SIGN_IN}",
            "ok",
            "https://chat.kaito.dev has sign-in with Entra ID",
        ),
    ],
)
def test_a_public_chat_without_sign_in_is_told(tmp_path: Path, text: str, state: str, detail: str) -> None:
    result = one(tmp_path, "publication", {}, text)
    assert (result.state, result.detail) == (state, detail)


@pytest.mark.parametrize(("days", "state"), [(60, "ok"), (61, "warning")])
def test_facts_older_than_sixty_days_are_told(tmp_path: Path, days: int, state: str) -> None:
    for subject, name, day in (
        ("catalog", "catalog.toml", CATALOG.meta.checked_on),
        ("KAITO's tables", "kaito_catalog.toml", KAITO["0.6.0"].read_on),
    ):
        result = one(tmp_path, subject, {}, today=day + timedelta(days=days))
        assert (result.state, result.detail) == (state, f"{name} was checked on {day}, {days} days ago")
        assert ("CONTRIBUTING.md" in result.remedy) is (state == "warning")


A100 = 'instance_type = "Standard_NC24ads_A100_v4"'


@pytest.mark.parametrize(
    ("edits", "state", "detail"),
    [
        (
            {},
            "ok",
            "on Standard_NV36ads_A10_v5: KAITO 0.6.0 makes 1 node; the model needs 8.0 of 24.0 GiB of GPU memory",
        ),
        (
            {"kaito": ['version = "0.12.0"'], "model": [A100]},
            "ok",
            "phi-4-mini-instruct on Standard_NC24ads_A100_v4: KAITO 0.12.0 makes 1 node; the model needs 7.3 of",
        ),
        (
            {"kaito": ['version = "0.12.0"'], "model": [A100, "node_count = 3"]},
            "ok",
            "KAITO 0.12.0 makes 1 node, not the 3 of node_count; the model needs",
        ),
        (
            {
                "kaito": ['version = "0.12.0"'],
                "model": [A100, 'preset = "llama-3.3-70b-instruct"', 'access_secret = "hugging-face"'],
            },
            "ok",
            "KAITO 0.12.0 makes 3 nodes, not the 1 of node_count; the model needs",
        ),
        (
            {"kaito": ['version = "0.12.0"'], "model": [A100, 'preset = "someone/unknown"']},
            "unknown",
            "KAITO 0.12.0 makes a number of nodes of its own; the catalog does not know whether the model fits",
        ),
        (
            {"model": ['instance_type = "Standard_NC999ads_X1_v9"']},
            "unknown",
            "KAITO 0.6.0 makes 1 node; the catalog does not know whether the model fits",
        ),
        ({"kaito": ["enabled = false"]}, "info", "KAITO is off: no model and no GPU node"),
    ],
)
def test_the_models_fit_is_told_with_kaitos_own_nodes(
    tmp_path: Path, edits: dict[str, list[str]], state: str, detail: str
) -> None:
    result = one(tmp_path, "model", edits)
    assert result.state == state
    assert detail in result.detail


def test_the_standby_has_its_own_fit(tmp_path: Path) -> None:
    result = one(tmp_path, "standby", {"model": ['standby_instance_type = "Standard_NC24ads_A100_v4"']})
    assert (result.state, "Standard_NC24ads_A100_v4: KAITO 0.6.0 makes 1 node" in result.detail) == ("ok", True)


def test_an_obstacle_is_a_blocker_even_if_the_file_was_not_refused(tmp_path: Path) -> None:
    environment = load(written(tmp_path, DEV), TODAY)
    model = environment.settings.model.model_copy(update={"preset": "phi-4", "node_count": 2})
    changed = Environment("dev", environment.settings.model_copy(update={"model": model}))
    obstacles = [each for each in findings(changed, TODAY) if each.subject == "model"]
    assert [(each.state, each.remedy) for each in obstacles] == [
        ("blocker", "Change model.instance_type, or model.preset"),
        ("blocker", "Change model.node_count, or model.preset"),
        ("blocker", "Change model.max_model_len, or model.preset"),
    ]
    assert "offers 24 GiB of GPU memory on 1 node(s)" in obstacles[0].detail


def test_an_obstacle_of_the_standby_names_its_own_keys(tmp_path: Path) -> None:
    environment = load(written(tmp_path, DEV), TODAY)
    model = environment.settings.model.model_copy(update={"standby_preset": "phi-4", "standby_node_count": 2})
    changed = Environment("dev", environment.settings.model_copy(update={"model": model}))
    obstacles = [each for each in findings(changed, TODAY) if each.subject == "standby"]
    assert [each.remedy for each in obstacles] == [
        "Change model.standby_instance_type, or model.standby_preset",
        "Change model.standby_node_count, or model.standby_preset",
        "Change model.max_model_len, or model.standby_preset",
    ]
