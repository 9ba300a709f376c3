"""The metadata of the charts, as Artifact Hub reads it.

See: https://artifacthub.io/docs/topics/annotations/helm/
"""

from pathlib import Path

import pytest
import yaml

from aks_kaito import __version__
from support.project import ROOT

CHARTS = sorted((ROOT / "charts").glob("*/Chart.yaml"))
CATEGORIES = {
    "ai-machine-learning",
    "database",
    "integration-delivery",
    "monitoring-logging",
    "networking",
    "security",
    "storage",
    "streaming-messaging",
}
KINDS = {"added", "changed", "deprecated", "removed", "fixed", "security"}


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: path.parent.name)
def test_artifact_hub_understands_the_annotations(path: Path) -> None:
    chart = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert (chart["version"], chart["name"]) == (__version__, path.parent.name)
    notes = chart["annotations"]
    assert notes["artifacthub.io/category"] in CATEGORIES
    assert notes["artifacthub.io/license"] == "MIT"
    changes = yaml.safe_load(notes["artifacthub.io/changes"])
    assert changes
    assert all(set(each) == {"kind", "description"} and each["kind"] in KINDS for each in changes)
    for link in yaml.safe_load(notes["artifacthub.io/links"]):
        assert set(link) == {"name", "url"}
        page = link["url"].partition("/blob/main/")[2]
        assert (ROOT / page).is_file(), link
