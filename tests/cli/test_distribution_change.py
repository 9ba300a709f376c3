"""A change of KAITO's distribution or provisioner is refused while the deployed one has models, nodes or a release."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aks_kaito.settings import load
from aks_kaito_cli.deploy import distribution
from aks_kaito_cli.deploy.distribution import Installed, deployed
from aks_kaito_cli.deploy.states import States
from aks_kaito_cli.gpu_pools.cluster import Run, Way
from aks_kaito_cli.shell import RefusedError, Shell, Step, StepError
from support import states
from support.environment_files import written
from support.kaito_pools import claim_of_node, crds, listed, node_claim, workspace
from support.project import TODAY
from support.stand_ins import DEV, GROUP, environment, run, starting

HELM = '\n[kaito]\ndistribution = "helm"\nversion = "0.12.0"\n'
POOLS = f'{HELM}provisioner = "gpu-provisioner"\n'
DELETE = "kubectl --namespace kaito-chat delete"


def switch(*, enabled: bool) -> dict[str, Any]:
    """Return azapi's resource with the add-on's switch, as Terraform stores a value of any type."""
    properties = {"aiToolchainOperatorProfile": {"enabled": enabled}}
    return states.resource("azapi_update_resource", body={"type": ["object", {}], "value": {"properties": properties}})


def chart(*names: str) -> list[dict[str, Any]]:
    return [states.resource("helm_release", name=name) for name in names]


def cluster(mode: str) -> dict[str, Any]:
    return states.resource("azurerm_kubernetes_cluster", node_provisioning_profile=[{"mode": mode}])


ADD_ON: States = {"platform": [switch(enabled=True)], "workloads": chart("kaito-chat")}
OF_POOLS: States = {
    "platform": [switch(enabled=False)],
    "workloads": chart("kaito-chat", "kaito-workspace", "gpu-provisioner"),
}
OF_NODES: States = {"platform": [switch(enabled=False)], "workloads": chart("kaito-chat", "kaito-workspace")}


class Place:
    """A deployed environment.

    Attributes:
        items: The objects in its cluster.
        has_release: Whether the open-source controller is there.
        error: The reason for which the cluster cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.items: list[dict[str, Any]] = []
        self.has_release = False
        self.error = ""
        self.asked = 0

    def ways(self, _: Shell) -> list[Way]:
        return [Way("kubectl", self._open)]

    @contextmanager
    def _open(self) -> Iterator[Run]:
        if self.error:
            raise StepError(Step("read", ("kubectl",)), self.error)
        yield self._run

    def _run(self, words: tuple[str, ...]) -> str:
        self.asked += 1
        if words[1] == "deployments":
            assert words[2:5] == ("kaito-workspace", "--namespace", "kaito-workspace")
            return "deployment.apps/kaito-workspace\n" if self.has_release else ""
        return crds() if words[1] == "customresourcedefinitions" else json.dumps(listed(*self.items))

    def check(self, text: str, found: States) -> None:
        distribution.check(Shell(load(written(self._folder, text), TODAY)), found)

    def refusal(self, text: str, found: States, *items: dict[str, Any]) -> str:
        self.items = list(items)
        with pytest.raises(RefusedError) as caught:
            self.check(text, found)
        return str(caught.value)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place(tmp_path)
    monkeypatch.setattr(distribution, "exists", lambda _: True)
    monkeypatch.setattr(distribution, "ways", found.ways)
    return found


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"platform": [], "workloads": []}, None),
        (ADD_ON, Installed("addon", "")),
        ({"platform": [switch(enabled=False)], "workloads": chart("kaito-chat")}, None),
        (
            {"platform": [cluster("Auto")], "workloads": OF_NODES["workloads"]},
            Installed("helm", "node-auto-provisioning"),
        ),
        ({"platform": [cluster("Manual")], "workloads": OF_NODES["workloads"]}, Installed("helm", "none")),
        ({"platform": [cluster("Manual")], "workloads": OF_POOLS["workloads"]}, Installed("helm", "gpu-provisioner")),
        # A state of an older release has no body, and no profile.
        ({"platform": [states.resource("azapi_update_resource", body=None)], "workloads": []}, None),
        (
            {"platform": [states.resource("azurerm_kubernetes_cluster")], "workloads": OF_NODES["workloads"]},
            Installed("helm", "none"),
        ),
    ],
)
def test_the_states_say_what_is_installed(found: States, expected: Installed | None) -> None:
    assert deployed(found) == expected


def test_the_add_on_keeps_its_workspaces(place: Place) -> None:
    said = place.refusal(DEV + HELM, ADD_ON, workspace(), node_claim())
    assert 'kaito.distribution changes from "addon" to "helm"' in said
    assert "dev.toml: " in said
    assert "\n  Workspace kaito-chat/kc-model\n  NodeClaim ws1a2b3c4d5 of Workspace kaito-chat/kc-model\n" in said
    # The add-on has no InferenceSets.
    assert f"{DELETE} workspaces.kaito.sh --all\n" in said
    assert "kubectl --namespace kaito-chat get nodeclaims.karpenter.sh\n" in said
    assert "make gpu-pools ENV=dev\n" in said
    assert "helm uninstall" not in said
    assert said.rstrip().endswith("deploy again")


def test_models_of_other_namespaces_are_named_with_them(place: Place) -> None:
    said = place.refusal(DEV + HELM, ADD_ON, workspace("theirs", namespace="elsewhere"))
    assert "kubectl --namespace elsewhere delete workspace theirs\n" in said


def test_a_node_without_its_workspace_is_waited_for(place: Place) -> None:
    said = place.refusal(DEV + HELM, ADD_ON, node_claim(going=True))
    assert "NodeClaim ws1a2b3c4d5" in said
    assert f"{DELETE} workspaces" not in said


def test_the_chart_is_uninstalled_before_the_add_on(place: Place) -> None:
    place.has_release = True
    said = place.refusal(DEV, OF_POOLS, workspace())
    assert 'kaito.distribution changes from "helm" to "addon"' in said
    assert f"{DELETE} inferencesets.kaito.sh,workspaces.kaito.sh --all\n" in said
    assert "helm uninstall kaito-workspace --namespace kaito-workspace --wait\n" in said
    assert "helm uninstall gpu-provisioner --namespace gpu-provisioner --wait\n" in said
    assert said.index("delete the models") < said.index("wait until") < said.index("helm uninstall")
    said = place.refusal(DEV, OF_NODES)
    assert "the release kaito-workspace in the namespace kaito-workspace" in said
    assert "delete the models" not in said
    assert "gpu-provisioner" not in said
    # Without the release, the state of the workloads is only late.
    place.has_release = False
    place.check(DEV, OF_NODES)


def test_a_provisioner_keeps_its_nodes(place: Place) -> None:
    place.has_release = True
    said = place.refusal(DEV + HELM, OF_POOLS, workspace(), claim_of_node())
    assert 'kaito.provisioner changes from "gpu-provisioner" to "node-auto-provisioning"' in said
    assert "NodeClaim kaito-chat-kc-model-x7k2p of Workspace kaito-chat/kc-model" in said
    # The release stays.
    assert "helm uninstall" not in said


@pytest.mark.parametrize("found", [ADD_ON, OF_POOLS])
def test_kaito_does_not_end_with_models(found: States, place: Place) -> None:
    place.has_release = found is OF_POOLS
    said = place.refusal(f"{DEV}\n[kaito]\nenabled = false\n", found, workspace(), node_claim())
    assert "kaito.enabled changes to false, and the deployed KAITO still has:" in said
    assert "\n  Workspace kaito-chat/kc-model\n" in said
    # Terraform uninstalls the release after the chat.
    assert "helm uninstall" not in said


@pytest.mark.parametrize(
    ("text", "found", "items", "asked"),
    [
        # Nothing is left of the other distribution, but a NodeClaim that somebody else made.
        (DEV + HELM, ADD_ON, [{"kind": "NodeClaim", "metadata": {"name": "default-abcde"}}], True),
        # Nothing changes, or nothing was installed before.
        (DEV, ADD_ON, [workspace()], False),
        (DEV + POOLS, OF_POOLS, [workspace()], False),
        (DEV + HELM, {"platform": [switch(enabled=False)], "workloads": chart("kaito-chat")}, [workspace()], False),
        # KAITO ends without models.
        (DEV + HELM + "enabled = false\n", OF_NODES, [], True),
    ],
)
def test_what_goes_on(text: str, found: States, items: list[dict[str, Any]], *, asked: bool, place: Place) -> None:
    place.items = items
    place.check(text, found)
    assert bool(place.asked) == asked


def test_a_cluster_that_cannot_be_read_is_not_decided(place: Place) -> None:
    place.error = "no route to host"
    said = place.refusal(DEV + HELM, ADD_ON)
    assert "Whether models exist cannot be decided, so nothing was changed: kubectl: " in said
    assert "no route to host" in said


def test_without_a_cluster_nothing_is_left(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.items = [workspace()]
    monkeypatch.setattr(distribution, "exists", lambda _: False)
    place.check(DEV + HELM, ADD_ON)
    assert place.asked == 0


def test_a_deployment_changes_nothing_before(tmp_path: Path) -> None:
    states.write(tmp_path / "project", "kaito-dev-platform", states.group(GROUP), *ADD_ON["platform"])
    states.write(tmp_path / "project", "kaito-dev-workloads", *ADD_ON["workloads"])
    answers = {"get customresourcedefinitions": crds(), "get workspaces.kaito.sh": json.dumps(listed(workspace()))}
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=environment(tmp_path, DEV + HELM), answers=answers)
    assert ran.done.returncode == 2, ran.done.stdout + ran.done.stderr
    assert "the deployed KAITO still has:\n\n  Workspace kaito-chat/kc-model\n" in ran.done.stderr
    assert not starting(ran, "cdk", "helm", "az acr build")
