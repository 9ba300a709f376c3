"""Renovate's configuration: its regular expressions find every version that no manager of its own would find."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from aks_kaito.charts import theirs
from support.project import ROOT

CONFIG: dict[str, Any] = json.loads((ROOT / ".github" / "renovate.json").read_text(encoding="utf-8"))


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
    of_oci, on_page, of_helm, on_page_too = CONFIG["customManagers"]
    charts = {each.name: each for each in vars(theirs).values() if isinstance(each, theirs.Chart)}
    oci = {name: each for name, each in charts.items() if each.repository.startswith("oci://")}
    rows = {each["chart"]: each for each in found(of_oci)}
    assert rows == {
        name: {"chart": name, "place": each.repository.removeprefix("oci://"), "currentValue": each.version}
        for name, each in oci.items()
    }
    assert of_oci["packageNameTemplate"] == "{{{place}}}/{{{chart}}}"
    assert {each["chart"]: each["currentValue"] for each in found(on_page)} == {
        name: each.version for name, each in oci.items()
    }
    for each in oci.values():
        assert f"{each.repository.removeprefix('oci://')}/{{{{{{chart}}}}}}" in on_page["packageNameTemplate"]
    older = {name: each for name, each in charts.items() if name not in oci}
    assert {
        each["chart"] or "gpu-provisioner": (each["registryUrl"], each["currentValue"]) for each in found(of_helm)
    } == {name: (each.repository, each.version) for name, each in older.items()}
    assert {each["depName"]: each["currentValue"] for each in found(on_page_too)} == {
        name: each.version for name, each in older.items()
    }
    assert all(each.repository in on_page_too["registryUrlTemplate"] for each in older.values())


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
            # The last spelling is that of Python's index.
            known = name in ("python", "workspace", "aws-cdk-lambda-layer-kubectl-v32") or name.rstrip("*") in text
            assert known, name


def test_updates_are_grouped_pinned_and_locked() -> None:
    # The locks have hashes, which `make lock` writes; a range that is not bumped would keep the locked version.
    assert CONFIG["pip_requirements"]["enabled"] is False
    assert CONFIG["packageRules"][0]["rangeStrategy"] == "bump"
    assert {"docker:pinDigests", "helpers:pinGitHubActionDigestsToSemver", "group:allNonMajor"} <= set(
        CONFIG["extends"]
    )
    assert CONFIG["postUpgradeTasks"]["commands"] == ["make lock", "make docs"]
    groups = [rule["groupName"] for rule in CONFIG["packageRules"] if "groupName" in rule]
    assert groups == ["CDK", "chat application", "workflows", "chart {{{depName}}}"]
