"""Releases of a workloads stack: their values without tokens, and the objects of our two charts."""

import json
import re
from typing import Any

from aks_kaito import __version__
from support.project import ROOT
from support.rendering import Object, merged, render

ID = "00000000-0000-0000-0000-000000000001"
CLUSTER_CHART = ROOT / "charts" / "kaito-cluster"
# Values that Azure or the deployment provides: one id for all, a group, a tag and no digest.
FILLED = {r"\$\{data\.[^}]*_id\}": ID, r"\$\{data\.[^}]*_group\}": "nodes", r"\$\{var\.chat_image_tag\}": __version__}


def release(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one Helm release of a stack."""
    (found,) = [each for each in document["resource"]["helm_release"].values() if each["name"] == name]
    return dict(found)


def values_of(document: dict[str, Any], name: str, digest: str = "") -> dict[str, Any]:
    """Return the values of a release with all tokens replaced."""
    text = json.dumps(release(document, name)["values"])
    for pattern, value in {**FILLED, r"\$\{var\.chat_image_digest\}": digest}.items():
        text = re.sub(pattern, value, text)
    assert "${" not in text
    return merged(*(json.loads(each) for each in json.loads(text)))


def chat_objects(document: dict[str, Any]) -> list[Object]:
    """Render the chat chart."""
    namespace = release(document, "kaito-chat")["namespace"]
    return render(values_of(document, "kaito-chat"), release="kaito-chat", namespace=namespace)


def cluster_objects(document: dict[str, Any]) -> list[Object]:
    """Render the chart of the cluster's objects."""
    values, namespace = values_of(document, "kaito-cluster"), release(document, "kaito-cluster")["namespace"]
    return render(values, release="kaito-cluster", namespace=namespace, chart=CLUSTER_CHART)
