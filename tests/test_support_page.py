"""The page of supported versions names what the tests run, and the page of deprecations what is deprecated."""

import json
import re
import tomllib
from typing import Any

from aks_kaito.catalog import CATALOG
from aks_kaito_cli.doctor.needs import HELM, NODE, TERRAFORM
from support.project import ROOT
from support.rendering import HELMS, KUBERNETES
from support.validation import KAITO

PAGE = (ROOT / "docs" / "reference" / "support.md").read_text(encoding="utf-8")
DEPRECATIONS = (ROOT / "docs" / "reference" / "deprecations.md").read_text(encoding="utf-8")


def table(heading: str, page: str = PAGE) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table below a heading."""
    part = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return head, rows


def test_kubernetes_and_kaito_are_those_of_the_charts_tests() -> None:
    head, rows = table("Kubernetes and KAITO")
    assert [cell.split(",")[0] for cell in head[3:]] == [each.replace("kaito-", "KAITO ") for each in KAITO]
    facts = CATALOG.kubernetes_versions
    assert rows == [
        [version, str(facts[version].end_of_support), str(facts[version].lts_end), *["tested"] * len(KAITO)]
        for version in KUBERNETES
    ]
    assert {each.removeprefix("kaito-") for each in KAITO} == set(CATALOG.kaito_versions)
    assert f"Each of the {len(rows) * len(KAITO) * 2} combinations" in " ".join(PAGE.split())
    chart = (ROOT / "charts" / "kaito-chat" / "Chart.yaml").read_text(encoding="utf-8")
    assert f'kubeVersion: ">={rows[0][0]}.0-0"' in chart


def test_providers_and_command_lines_are_those_of_the_stacks(stacks: dict[str, Any], workloads: dict[str, Any]) -> None:
    head, rows = table("Terraform, azurerm and the CDK's command line")
    pinned = {
        name: each["version"]
        for document in (*stacks.values(), *workloads.values())
        for name, each in document["terraform"]["required_providers"].items()
    }
    lines = json.loads((ROOT / "tools" / "cdk_clis" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert dict(zip(head, rows[0], strict=True)) == {
        **pinned,
        "Terraform": workflow_terraform(),
        **{f"{name} {version}": "tested" for name, version in lines.items()},
    }
    assert len(rows) == 1
    assert f"Terraform from {'.'.join(map(str, TERRAFORM.minimum))} on is accepted; {workflow_terraform()} is" in PAGE


def workflow_terraform() -> str:
    text = (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
    (version,) = re.findall(r'terraform_version: "(.*)"', text)
    return str(version)


def test_other_programs_are_those_that_are_required() -> None:
    _, rows = table("Other programs")
    supported = {name: words for name, words, _ in rows}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == ">=3.11,<3.14"
    assert supported["Python"] == "3.11, 3.12 and 3.13"
    assert supported["Node.js of the bindings"].startswith(".".join(map(str, NODE.minimum)))
    assert supported["helm"].startswith(".".join(map(str, HELM.minimum)))
    assert len(HELMS) == 2
    fields = json.loads((ROOT / "environments" / "settings.schema.json").read_text(encoding="utf-8"))
    versions = fields["$defs"]["PostgreSql"]["properties"]["version"]["enum"]
    assert supported["PostgreSQL of the history"] == f"{versions[0]} to {versions[-1]}"


def test_the_deprecated_values_of_the_chart_are_listed() -> None:
    _, rows = table("Deprecated keys and values", DEPRECATIONS)
    template = (ROOT / "charts" / "kaito-chat" / "templates" / "_deprecated.tpl").read_text(encoding="utf-8")
    announced = re.findall(r'"old" "(.+?)" "new" "(.+?)"', template)
    listed = {(old.strip("`"), new.strip("`")) for part, old, new, *_ in rows if part == "chart kaito-chat"}
    assert set(announced) <= listed
    schema = (ROOT / "charts" / "kaito-chat" / "values.schema.json").read_text(encoding="utf-8")
    assert all(f'"{old.rpartition(".")[2]}"' in schema for old, _ in listed)
