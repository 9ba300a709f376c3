"""An ingress that Azure Front Door alone reaches."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito.review.documents import document
from aks_kaito.review.exposure import exposures
from aks_kaito.settings import Environment, load
from support.environment_files import OPEN, edited, problems, written
from support.environments import EVERYTHING, altered
from support.project import TODAY
from support.stacks import synthesized

KEY = "ingress.front_door_only"
HOST = ['hostname = "chat.contoso.com"']
ON = "front_door_only = true"


def web_sources(stack: dict[str, Any]) -> set[str]:
    groups = stack["resource"]["azurerm_network_security_group"].values()
    rules = [each for group in groups for each in group["security_rule"]]
    return {each["source_address_prefix"] for each in rules if each["name"] == "allow-web"}


def test_the_security_groups_admit_front_door_only(environments: dict[str, Environment]) -> None:
    settings = {**EVERYTHING, "ingress": {**EVERYTHING["ingress"], "front_door_only": True}}
    stack = synthesized(altered(environments["dev"], **settings))
    assert web_sources(stack) == {"AzureFrontDoor.Backend"}
    (found,) = (each for each in exposures(document("platform", stack)) if each.what == "ingress")
    assert (found.reach, found.how) == ("restricted", "from Azure Front Door")


def test_browsers_are_admitted_by_default(environments: dict[str, Environment]) -> None:
    stack = synthesized(environments["dev"])
    assert web_sources(stack) == {"Internet"}
    (found,) = (each for each in exposures(document("platform", stack)) if each.what == "ingress")
    assert (found.reach, found.how) == ("public", "from any address")


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"ingress": [ON]}, "must not be set while ingress.hostname is unset"),
        ({"ingress": [*HOST, ON]}, "needs ingress.dns_zone_name, or workloads.cert_manager_enabled = false"),
    ],
)
def test_front_door_needs_a_host_name_and_a_certificate(
    edits: dict[str, list[str]], words: str, tmp_path: Path
) -> None:
    path = written(tmp_path, edited(edits) + OPEN)
    assert f"{KEY} = true: {words}" in problems(path)[KEY]


def test_a_certificate_of_ones_own_suffices(tmp_path: Path) -> None:
    edits = {"ingress": [*HOST, ON], "workloads": ["cert_manager_enabled = false"]}
    assert load(written(tmp_path, edited(edits) + OPEN), TODAY).settings.ingress.front_door_only
