"""Several models of one release: their objects, and the chat's profiles."""

import json
from typing import Any

import pytest
import yaml

from support.rendering import CHART, PUBLISHED, Object, RenderError, at, case, default, merged, names, one, render
from support.upgrades import upgrade

FIRST = "demo-phi-4-mini-instruct-4aa2b0"
SECOND: dict[str, Any] = {"models": {"second": {"preset": "phi-4"}}}
ALONE = merged(SECOND, at("model.enabled", False))


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
    assert not any(name.startswith("Workspace") for name in more.changed)
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


def test_a_disabled_model_has_no_object() -> None:
    assert render(default(SECOND, at("models.second.enabled", False))) == render(default())


def test_names_are_those_of_before_and_depend_on_the_key() -> None:
    assert {name for kind, name in names(render(default(SECOND))) if kind == "Workspace"} >= {FIRST}
    renamed = {"models": {"other": SECOND["models"]["second"]}}
    assert {each["metadata"]["name"] for each in workspaces(default(renamed))} & {
        each["metadata"]["name"] for each in workspaces(default(SECOND))
    } == {FIRST}
