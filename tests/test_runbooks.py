"""Runbooks: one for each alert, linked from it, with queries and commands that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from aks_kaito.settings import Environment
from support.environments import EVERYTHING, altered
from support.inventory import of_kind
from support.pages import RUNBOOKS, says_what_no_test_runs
from support.project import ROOT
from support.promtool import check_rules
from support.rendering import CHART, case, one, render
from support.stacks import synthesized

FOLDER = ROOT / "docs" / "runbooks"
BASE = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["annotations"]["kaito-chat/runbooks"]
SECTIONS = ["First look", "Causes and remedies", "Over when"]
QUERY = re.compile(r"^```promql\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def alerting(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all alert rules among a stack's rule groups; a stack has no other kind of alert."""
    kinds = {kind for kind in document["resource"] if "alert" in kind}
    assert kinds <= {"azurerm_monitor_alert_prometheus_rule_group"}
    groups = of_kind(document, "azurerm_monitor_alert_prometheus_rule_group") if kinds else []
    return [rule for group in groups for rule in group["rule"] if "alert" in rule]


def test_every_alert_of_azure_monitor_has_a_runbook_and_every_runbook_an_alert(
    environments: dict[str, Environment],
) -> None:
    everything = altered(environments["prod"], **EVERYTHING)
    documents = [synthesized(everything, part) for part in ("platform", "workloads")]
    rules = [rule for document in documents for rule in alerting(document)]
    assert {rule["alert"] for rule in rules} == set(RUNBOOKS)
    for rule in rules:
        # The part of the address below the folder is the page in the repository.
        assert rule["annotations"]["runbook_url"] == f"{BASE}/{rule['alert']}.md"
        assert (FOLDER / rule["annotations"]["runbook_url"].removeprefix(f"{BASE}/")).is_file()


def test_every_alert_of_prometheus_operator_has_a_runbook() -> None:
    spec = one(render(case("everything")), "PrometheusRule")["spec"]
    links = [rule["annotations"]["runbook_url"] for group in spec["groups"] for rule in group["rules"]]
    assert {Path(link).stem for link in links} == set(RUNBOOKS)
    assert all((FOLDER / Path(link).name).is_file() for link in links)


def test_the_default_address_is_the_folder_in_the_projects_repository() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["annotations"]["kaito-chat/runbooks"] == f"{chart['home']}/blob/main/docs/runbooks"
    assert [path for path in FOLDER.iterdir() if path.suffix != ".md"] == []


@pytest.mark.parametrize("alert", RUNBOOKS)
def test_a_runbook_has_meaning_first_look_causes_remedies_and_an_end(alert: str) -> None:
    text = RUNBOOKS[alert]
    opening = re.match(rf"# {alert}\n\n(\S.{{80,}}?)\n\n## First look\n", text, re.DOTALL)
    assert opening, "no meaning below the title"
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    (look,) = re.findall(r"^## First look\n\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    assert look == "```console\n.venv/bin/aks-kaito status prod\n```"
    table = text.partition("## Causes and remedies")[2].partition("## Over when")[0]
    rows = re.findall(r"^\|(.+)\|$", table, re.MULTILINE)
    assert len(rows) > 3
    assert all(cell.strip() for row in rows for cell in re.split(r"(?<!\\)\|", row))


@pytest.mark.parametrize("alert", RUNBOOKS)
def test_commands_that_no_test_runs_say_so(alert: str) -> None:
    assert says_what_no_test_runs(RUNBOOKS[alert], {".venv/bin/aks-kaito"})


def test_queries_of_the_runbooks_are_valid(tmp_path: Path) -> None:
    queries = [query.strip() for text in RUNBOOKS.values() for query in QUERY.findall(text)]
    assert len(queries) > 10
    rules = [{"record": f"runbook:query:{number}", "expr": query} for number, query in enumerate(queries)]
    check_rules([{"name": "runbooks", "rules": rules}], tmp_path)
