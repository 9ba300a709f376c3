"""Several models of one release: their objects, the chat's profiles, and upgrades that delete none of them."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.helm_releases import HelmRelease, ReleaseError
from support.kubernetes_api import kubernetes_api
from support.needs import needs
from support.project import ROOT
from support.rendering import CHART, PUBLISHED, Object, RenderError, at, case, default, merged, names, one, render
from support.upgrades import upgrade

FIRST = "demo-phi-4-mini-instruct-4aa2b0"
READY = {"conditions": [{"type": "WorkspaceSucceeded", "status": "True"}]}
SECOND: dict[str, Any] = {"models": {"second": {"preset": "phi-4"}}}
ALONE = merged(SECOND, at("model.enabled", False))
# The commit of the chart before it had `models`.
# Labels with the version of the chart, at an object and at the pods that the GPU exporter replaces one after the other.
VERSIONS = tuple(
    f"{place}metadata.labels.{label}"
    for place in ("", "spec.template.")
    for label in ("app.kubernetes.io/version", "helm.sh/chart")
)
BEFORE = "0dbe330"


def profiles(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the chat's models."""
    found: list[dict[str, Any]] = json.loads(one(render(values), "ConfigMap", "demo")["data"]["KAITO_CHAT_MODELS"])
    return found


def workspaces(values: dict[str, Any]) -> list[Object]:
    return [each for each in render(values) if each["kind"] == "Workspace"]


def selectors(values: dict[str, Any]) -> list[dict[str, str]]:
    """Return the labels of the GPU nodes of each Workspace."""
    return [each["resource"]["labelSelector"]["matchLabels"] for each in workspaces(values)]


def test_defaults_of_further_models_are_those_of_the_first() -> None:
    text = (CHART / "templates" / "_models.tpl").read_text(encoding="utf-8")
    defaults = text.split('define "kaito-chat.modelDefaults" -}}')[1].split("{{- end")[0]
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert yaml.safe_load(defaults) == values["model"]
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))["properties"]
    assert schema["models"]["additionalProperties"]["properties"] == schema["model"]["properties"]


def test_a_second_model_has_every_object_and_changes_none_of_the_first() -> None:
    monitored = at("monitoring.azureMonitor", True)
    found = upgrade(default(monitored), default(monitored, SECOND))
    (second,) = [each["metadata"]["name"] for each in workspaces(default(SECOND)) if each["metadata"]["name"] != FIRST]
    monitor = f"PodMonitor.azmonitoring.coreos.com/{second}"
    assert found.created == {f"Workspace/{second}", f"NetworkPolicy/{second}", monitor}
    assert found.deleted == found.left == frozenset()
    assert set(found.changed) == {"ConfigMap/demo", "Deployment/demo", "NetworkPolicy/demo", "Role/demo"}
    (role,) = one(render(default(SECOND)), "Role")["rules"]
    assert role["resourceNames"] == [FIRST, second]


def test_the_chat_has_a_profile_of_each_model() -> None:
    found = profiles(case("models"))
    assert [each["name"] for each in found] == ["phi-4-mini-instruct", "custom", "Llama"]
    assert (found[0]["description"], found[0]["icon"]) == ("Small and fast", "/public/phi.svg")
    assert found[2]["starters"] == [{"label": "Hello", "message": "Say hello.", "icon": "/public/hello.svg"}]
    assert found[2]["icon"] == "https://example.com/llama.svg"
    for each in found:
        assert each["endpoint_url"] == f"http://{each['workspace_name']}"


def test_a_model_with_an_address_only_keeps_the_settings_of_a_single_model() -> None:
    data = one(render(default()), "ConfigMap", "demo")["data"]
    assert data["KAITO_CHAT_ENDPOINT_URL"] == f"http://{FIRST}"
    assert "KAITO_CHAT_MODELS" not in data
    (single,) = profiles(default(at("model.icon", "/public/a.svg")))
    assert single["icon"] == "/public/a.svg"


def test_replicas_of_a_workspace_are_workspaces_with_nodes_of_their_own() -> None:
    values = default(at("model.kind", "Workspace"), at("model.replicas", 3))
    (profile,) = profiles(values)
    found = [each["metadata"]["name"] for each in workspaces(values)]
    assert found[0] == FIRST
    assert [profile["endpoint_url"], *profile["replica_urls"]] == [f"http://{name}" for name in found]
    assert len({json.dumps(each) for each in selectors(values)}) == len(set(found)) == 3
    more = upgrade(default(), values)
    assert not more.deleted
    assert not any(name.startswith("Workspace") for name in more.changes(*VERSIONS))
    less = upgrade(values, default(at("model.kind", "Workspace"), at("model.replicas", 2)))
    assert less.deleted == {f"Workspace/{found[2]}", f"NetworkPolicy/{found[2]}"}
    labels = at("model.nodeLabels", {"apps": "a"})
    with pytest.raises(RenderError, match="start two of them on one GPU node"):
        render(merged(values, labels))


def test_models_without_the_first_one() -> None:
    (only,) = workspaces(default(ALONE))
    assert only["inference"]["preset"]["name"] == "phi-4"
    assert [each["name"] for each in profiles(default(ALONE))] == ["phi-4"]
    probe = one(render(default(ALONE)), "Pod")["spec"]["containers"][0]["args"]
    assert f"http://{only['metadata']['name']}" in probe


def test_equal_models_have_different_names_and_nodes() -> None:
    twice = {"models": {name: {"displayName": name} for name in ("a", "b")}}
    found = workspaces(default(twice))
    assert len({each["metadata"]["name"] for each in found}) == 3
    assert len({json.dumps(each) for each in selectors(default(twice))}) == 3


def test_a_token_of_the_key_vault_becomes_a_secret_that_the_workspace_names() -> None:
    objects = render(case("models"))
    provider = one(objects, "SecretProviderClass", "demo-model-tokens")["spec"]
    (secret,) = provider["secretObjects"]
    assert secret["data"] == [{"key": "HF_TOKEN", "objectName": "hugging-face"}]
    (item,) = yaml.safe_load(provider["parameters"]["objects"])["array"]
    assert yaml.safe_load(item) == {"objectName": "hugging-face", "objectType": "secret"}
    llamas = [each for each in workspaces(case("models")) if "llama" in each["metadata"]["name"]]
    assert len(llamas) == 3
    for each in llamas:
        assert each["inference"]["preset"]["presetOptions"] == {"modelAccessSecret": secret["secretName"]}
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    (volume,) = [each for each in pod["volumes"] if "csi" in each]
    assert volume["csi"]["volumeAttributes"] == {"secretProviderClass": "demo-model-tokens"}
    (container,) = pod["containers"]
    variables = {each["name"]: each.get("value", "") for each in container["env"]}
    assert "/mnt/model-tokens" not in variables.get("KAITO_CHAT_SECRETS_DIRS", "")


def test_existing_nodes_and_a_slice_of_a_gpu() -> None:
    slice_ = {"instanceType": "", "nodeLabels": {"pool": "gpu"}, "migProfile": "2g.20gb"}
    found = one(render(default(merged(ALONE, {"models": {"second": slice_}}))), "Workspace")["resource"]
    assert found == {
        "count": 1,
        "labelSelector": {"matchLabels": {"pool": "gpu"}},
        "partition": {"mode": "mig", "profile": "2g.20gb"},
    }
    preferred = {"nodeLabels": {"pool": "gpu"}, "preferredNodes": ["aks-gpu-0"]}
    found = one(render(default(merged(ALONE, {"models": {"second": preferred}}))), "Workspace")["resource"]
    assert found["preferredNodes"] == ["aks-gpu-0"]


def test_an_upgrade_of_kaito_reaches_the_model_in_its_window() -> None:
    policy = {"enabled": True, "strategy": "Surge", "schedule": "0 2 * * 6", "duration": "2h"}
    values = default(at("model", {"kind": "InferenceSet", "autoUpgrade": policy}))
    assert one(render(values), "InferenceSet")["spec"]["autoUpgrade"] == {
        "enabled": True,
        "strategy": "Surge",
        "maintenanceWindow": {"schedule": "0 2 * * 6", "duration": "2h"},
    }
    with pytest.raises(RenderError, match=r"model\.autoUpgrade\.enabled needs model\.kind: InferenceSet"):
        render(default(at("model.autoUpgrade", policy)))


@pytest.mark.parametrize("mode", ["nginx", "webapprouting"])
def test_each_model_has_an_endpoint_of_its_own(mode: str) -> None:
    endpoint = {"enabled": True, "host": "phi.example.com", "basicAuthSecret": "users"}
    values = default(PUBLISHED[mode], merged(SECOND, {"models": {"second": {"ingress": endpoint}}}))
    (found,) = [each for each in render(values) if each["kind"] == "Ingress" and each["metadata"]["name"] != "demo"]
    (tls,) = found["spec"]["tls"]
    assert (tls["hosts"], tls["secretName"]) == (["phi.example.com"], "demo-model-second-tls")
    same = merged(values, {"models": {"second": {"ingress": {"host": "chat.example.com"}}}})
    with pytest.raises(RenderError, match=r"models\.second\.ingress\.host must differ"):
        render(same)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({"default": {}}, "invalid propertyName"),
        ({"Upper": {}}, "invalid propertyName"),
        ({"second": {"presett": "a"}}, "presett"),
        ({"second": {"preset": "phi-4-mini-instruct"}}, r"set models\.second\.displayName"),
        ({"second": {"preset": "phi-4", "keyVaultSecret": "a"}}, r"needs chat\.keyVault\.name"),
        ({"second": {"preset": "phi-4", "migProfile": "2g.20gb"}}, "needs existing nodes"),
        ({"second": {"preset": "phi-4", "adapters": [{"name": "a"}]}}, "adapters"),
        (
            {name: {"preset": f"phi-{name}", "nodeLabels": {"a": "b"}} for name in ("x", "y")},
            "nodeLabels of another model",
        ),
    ],
)
def test_a_wrong_model_is_refused(models: dict[str, Any], words: str) -> None:
    with pytest.raises(RenderError, match=words):
        render(default({"models": models}))


@pytest.fixture(scope="module")
def earlier_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the chart of the commit before `models`."""
    archive = ["git", "archive", BEFORE, "charts/kaito-chat"]
    done = subprocess.run(archive, cwd=ROOT, capture_output=True, check=False)
    needs("" if done.returncode else "git", f"the commit {BEFORE} in the history")
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder / "charts" / "kaito-chat"


@pytest.mark.parametrize("given", ["default", "everything", "external", "gateway", "switch"])
def test_an_upgrade_from_the_chart_without_models_deletes_and_renames_nothing(given: str, earlier_chart: Path) -> None:
    before = yaml.safe_load((earlier_chart / "ci" / f"{given}-values.yaml").read_text(encoding="utf-8"))
    found = upgrade(before, before, old_chart=earlier_chart)
    # The chat of an InferenceSet reads its progress, and the policy of a model that KEDA scales admits less.
    scaled = "autoscaling" in before.get("model", {})
    assert found.created == (frozenset({f"Role/{given}", f"RoleBinding/{given}"}) if scaled else frozenset())
    assert found.deleted == found.left == frozenset()
    of_the_set = ["NetworkPolicy/", f"ConfigMap/{given}", f"Deployment/{given}"] if scaled else []
    # Alerts and dashboards change with the application's metrics.
    changing = ("PrometheusRule/", f"ConfigMap/{given}-dashboard-", *of_the_set)
    assert [name for name in found.changes(*VERSIONS) if not name.startswith(changing)] == []
    after = merged(before, {"models": {"second": {"preset": "phi-3.5-mini-instruct"}}})
    more = upgrade(before, after, old_chart=earlier_chart)
    assert more.deleted == more.left == frozenset()
    assert not any(name.startswith(("Workspace", "InferenceSet")) for name in more.changes(*VERSIONS))


@pytest.fixture
def release(tmp_path: Path) -> Iterator[HelmRelease]:
    with kubernetes_api() as api:
        yield HelmRelease(api, tmp_path)


def test_an_installed_release_of_the_chart_without_models_gets_a_second_one(
    release: HelmRelease, earlier_chart: Path
) -> None:
    release.upgrade(chart=earlier_chart)
    release.api.set_status("Workspace", FIRST, READY)
    release.upgrade(SECOND, reuse="reuse-values")
    assert FIRST in release.api.models()
    assert len(release.api.models()) == 2
    assert release.api.deleted == []


def test_a_running_model_among_several_is_not_taken_away(release: HelmRelease) -> None:
    release.upgrade(SECOND)
    (second,) = release.api.models() - {FIRST}
    for name in (FIRST, second):
        release.api.set_status("Workspace", name, READY)
    other = {"models": {"second": {"preset": "phi-3.5-mini-instruct"}}}
    with pytest.raises(ReleaseError, match=r"describe the new model in models\.second\.standby") as raised:
        release.upgrade(other)
    assert second in str(raised.value)
    with pytest.raises(ReleaseError, match=r"describe the new model in model\.standby"):
        release.upgrade(SECOND, at("model.preset", "phi-2"))
    assert (release.api.models(), release.api.deleted) == ({FIRST, second}, [])
    release.upgrade(merged(other, at("models.second.allowInterruption", True)))
    assert release.api.deleted == [second]


def test_models_are_exchanged_with_their_standbys(release: HelmRelease) -> None:
    release.upgrade(SECOND)
    (second,) = release.api.models() - {FIRST}
    release.api.set_status("Workspace", second, READY)
    third = "phi-3.5-mini-instruct"
    release.upgrade(merged(SECOND, at("models.second.standby.preset", third)))
    (standby,) = release.api.models() - {FIRST, second}
    release.api.set_status("Workspace", standby, READY)
    release.upgrade({"models": {"second": {"preset": third}}})
    assert (release.api.models(), release.api.deleted) == ({FIRST, standby}, [second])


def test_a_model_that_leaves_the_values_is_deleted_alone(release: HelmRelease) -> None:
    release.upgrade(SECOND)
    (second,) = release.api.models() - {FIRST}
    for name in (FIRST, second):
        release.api.set_status("Workspace", name, READY)
    release.upgrade()
    assert (release.api.models(), release.api.deleted) == ({FIRST}, [second])


def test_a_kept_model_does_not_leave_with_its_entry(release: HelmRelease) -> None:
    kept = at("models.second.keep", True)
    release.upgrade(SECOND, kept)
    for gone in ([], [merged(SECOND, kept, at("models.second.enabled", False))]):
        with pytest.raises(ReleaseError, match=r"Release models\.second\.keep: false first"):
            release.upgrade(*gone)
    release.upgrade(SECOND)
    release.upgrade()
    assert release.api.models() == {FIRST}


def test_a_disabled_model_has_no_object() -> None:
    assert render(default(SECOND, at("models.second.enabled", False))) == render(default())


def test_names_are_those_of_before_and_depend_on_the_key() -> None:
    assert {name for kind, name in names(render(default(SECOND))) if kind == "Workspace"} >= {FIRST}
    renamed = {"models": {"other": SECOND["models"]["second"]}}
    assert {each["metadata"]["name"] for each in workspaces(default(renamed))} & {
        each["metadata"]["name"] for each in workspaces(default(SECOND))
    } == {FIRST}
