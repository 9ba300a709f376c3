"""Renovate's configuration: its regular expressions find every version that no manager of its own would find."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from aks_kaito.charts import theirs
from support.project import ROOT

CONFIG: dict[str, Any] = json.loads((ROOT / ".github" / "renovate.json").read_text(encoding="utf-8"))
CHARTS = (theirs.CERT_MANAGER, theirs.NGINX, theirs.KUBE_PROMETHEUS_STACK)


def matched(pattern: str) -> list[str]:
    """Return the files that a pattern of Renovate matches, which stands between slashes."""
    found = (str(path.relative_to(ROOT)) for folder in ("constructs", "tools", ".github") for path in files(folder))
    return [name for name in found if re.search(pattern.strip("/"), name)]


def files(folder: str) -> Iterator[Any]:
    return (path for path in (ROOT / folder).rglob("*") if "node_modules" not in path.parts and path.is_file())


def found(manager: dict[str, Any]) -> list[dict[str, str]]:
    """Return the groups that a custom manager matches, in all files."""
    names = [name for pattern in manager["managerFilePatterns"] for name in matched(pattern)]
    assert names, manager["description"]
    return [
        match.groupdict()
        for name in names
        for expression in manager["matchStrings"]
        for match in re.finditer(
            expression.replace("(?<", "(?P<"), (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE
        )
    ]


def test_the_charts_of_other_projects_are_found() -> None:
    code, page, _ = CONFIG["customManagers"]
    assert found(code) == [
        {"chart": each.name, "place": each.repository.removeprefix("oci://"), "currentValue": each.version}
        for each in CHARTS
    ]
    assert code["packageNameTemplate"] == "{{{place}}}/{{{chart}}}"
    assert {each["chart"]: each["currentValue"] for each in found(page)} == {each.name: each.version for each in CHARTS}
    for each in CHARTS:
        assert f"{each.repository.removeprefix('oci://')}/{{{{{{chart}}}}}}" in page["packageNameTemplate"]


def test_terraform_of_the_workflows_is_found_and_one_version() -> None:
    *_, terraform = CONFIG["customManagers"]
    rows = found(terraform)
    text = "".join(path.read_text(encoding="utf-8") for path in files(".github/workflows"))
    assert len(rows) == text.count("terraform_version:") == 3
    assert {(each["depName"], each["currentValue"]) for each in rows} == {("hashicorp/terraform", "1.11.4")}


def test_nothing_that_it_updates_is_in_an_ignored_folder() -> None:
    ignored = [each.strip("*").strip("/") for each in CONFIG["ignorePaths"]]
    for path in (
        "tests/app/browser/package.json",
        "tools/cdk_clis/package.json",
        "tools/pipeline_linters/package.json",
    ):
        assert (ROOT / path).exists()
        assert not any(each in path for each in ignored), path


def test_its_rules_name_packages_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = json.dumps([project["project"]["dependencies"], project["dependency-groups"]])
    text += (ROOT / "tools" / "cdk_clis" / "package.json").read_text(encoding="utf-8")
    for rule in CONFIG["packageRules"]:
        for name in rule.get("matchPackageNames", []):
            # The second spelling is that of Python's index.
            known = name in ("python", "aws-cdk-lambda-layer-kubectl-v32") or name.rstrip("*") in text
            assert known, name


def test_updates_are_grouped_pinned_and_locked() -> None:
    assert {"docker:pinDigests", "helpers:pinGitHubActionDigestsToSemver", "group:allNonMajor"} <= set(
        CONFIG["extends"]
    )
    assert CONFIG["postUpgradeTasks"]["commands"] == ["make lock", "make docs"]
    groups = [rule["groupName"] for rule in CONFIG["packageRules"] if "groupName" in rule]
    assert groups == ["CDK", "chat application", "workflows", "chart {{{depName}}}"]
