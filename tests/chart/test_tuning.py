"""Tunings, and the logins to a registry with workload identities."""

from typing import Any

import pytest
import yaml

from support.rendering import INFERENCE_SET, Object, RenderError, at, default, names, one, render
from support.validation import check_custom

ID = "00000000-0000-0000-0000-000000000001"
TONE: dict[str, Any] = {
    "preset": "phi-4-mini-instruct",
    "method": "qlora",
    "instanceType": "Standard_NC24ads_A100_v4",
    "input": {"urls": ["https://example.org/data.json"]},
    "output": {"image": "example.azurecr.io/tuning/tone:1"},
}
LOGIN = at("registryLogin", {"server": "example.azurecr.io", "push": {"enabled": True, "clientId": ID}})
PULLS = at("registryLogin", {"server": "example.azurecr.io", "pull": {"enabled": True, "clientId": ID}})


def tuned(**changes: Any) -> list[Object]:
    return render(default(LOGIN, at("tuning.tone", TONE | changes)))


def workspace(objects: list[Object]) -> Object:
    (found,) = [each for each in objects if each["kind"] == "Workspace" and "tuning" in each]
    return found


def test_a_tuning_is_a_workspace_of_both_versions() -> None:
    objects = tuned(config={"LoraConfig": {"r": 16}})
    found = workspace(objects)
    assert check_custom(objects)
    name = found["metadata"]["name"]
    assert found["tuning"] == {
        "preset": {"name": "phi-4-mini-instruct"},
        "method": "qlora",
        "config": name,
        "input": {"name": "data", "urls": ["https://example.org/data.json"]},
        "output": {"image": "example.azurecr.io/tuning/tone:1", "imagePushSecret": "demo-registry-push"},
    }
    assert found["resource"] == {
        "instanceType": "Standard_NC24ads_A100_v4",
        "count": 1,
        "labelSelector": {"matchLabels": {"apps": name}},
    }
    config = yaml.safe_load(one(objects, "ConfigMap", name)["data"]["training_config.yaml"])
    assert config == {"training_config": {"LoraConfig": {"r": 16}}}


def test_another_tuning_has_another_name_and_the_same_one_keeps_it() -> None:
    first = workspace(tuned())["metadata"]["name"]
    assert first == workspace(tuned())["metadata"]["name"]
    others: list[dict[str, Any]] = [
        {"method": "lora"},
        {"preset": "phi-4"},
        {"instanceType": "Standard_NC48ads_A100_v4"},
        {"output": {"image": "example.azurecr.io/tuning/tone:2"}},
        {"config": {"LoraConfig": {"r": 16}}},
        {"nodeLabels": {"a": "b"}},
    ]
    found = {workspace(tuned(**other))["metadata"]["name"] for other in others}
    assert len(found - {first}) == len(others)
    long = render(
        default(LOGIN, at("tuning", {"a" * 20: TONE}), at("fullnameOverride", "n" * 35)), api_versions=(INFERENCE_SET,)
    )
    assert len(workspace(long)["metadata"]["name"]) <= 46


def test_tunings_of_two_namespaces_share_no_node() -> None:
    def labels(namespace: str) -> tuple[Any, ...]:
        found = workspace(render(default(LOGIN, at("tuning.tone", TONE)), namespace=namespace))
        return found["metadata"]["namespace"], found["resource"]["labelSelector"]["matchLabels"]["apps"]

    one_namespace, other = labels("red"), labels("blue")
    assert (one_namespace[0], other[0]) == ("red", "blue")
    assert one_namespace[1] != other[1]


def test_a_tuning_changes_no_other_object() -> None:
    before, after = render(default()), tuned()
    assert names(before) < names(after)
    assert [each for each in after if each in before] == before


def test_pods_of_a_tuning_reach_public_addresses_only() -> None:
    objects = tuned()
    name = workspace(objects)["metadata"]["name"]
    policy = one(objects, "NetworkPolicy", name)["spec"]
    assert policy["podSelector"] == {"matchLabels": {"kaito.sh/workspace": name}}
    assert policy["ingress"] == []
    assert [rule["ports"][0]["port"] for rule in policy["egress"]] == [53, 443]


def test_the_login_may_change_one_secret_and_a_release_keeps_its_token() -> None:
    objects = tuned()
    name = "demo-registry-push"
    assert not {"data", "stringData"} & set(one(objects, "Secret", name))
    (rule,) = one(objects, "Role", name)["rules"]
    assert rule == {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [name], "verbs": ["patch"]}
    job = one(objects, "Job", name)
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "post-install,post-upgrade"
    pod = job["spec"]["template"]
    assert pod == one(objects, "CronJob", name)["spec"]["jobTemplate"]["spec"]["template"]
    assert pod["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert pod["spec"]["serviceAccountName"] == name
    assert pod["spec"]["containers"][0]["args"] == ["--registry", "example.azurecr.io", "--secret", name]
    account = one(objects, "ServiceAccount", name)
    assert account["metadata"]["annotations"] == {"azure.workload.identity/client-id": ID}
    assert ("Secret", "demo-registry-pull") not in names(objects)


def test_the_login_that_pulls_is_another_identity() -> None:
    found = names(render(default(PULLS)))
    assert ("CronJob", "demo-registry-pull") in found
    assert ("CronJob", "demo-registry-push") not in found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input": {}}, "exactly one of urls, image and volume"),
        ({"input": {"urls": ["https://a.example/b"], "image": "a.io/b:1"}}, "exactly one of urls, image and volume"),
        ({"output": {}}, "needs an image or a volume"),
        ({"output": {"image": "a.io/b:1", "volume": {"emptyDir": {}}}}, "needs an image or a volume"),
        ({"input": {"urls": ["http://a.example/b"]}}, "tuning"),
        ({"method": "full"}, "method"),
    ],
)
def test_a_wrong_tuning_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RenderError, match=message):
        tuned(**changes)


def test_an_image_needs_a_secret() -> None:
    with pytest.raises(RenderError, match=r"needs tuning\.tone\.output\.pushSecret"):
        render(default(at("tuning.tone", TONE)))
    own = {"output": TONE["output"] | {"pushSecret": "mine"}}
    found = workspace(render(default(at("tuning.tone", TONE | own))))
    assert found["tuning"]["output"]["imagePushSecret"] == "mine"


def test_a_login_needs_its_registry() -> None:
    with pytest.raises(RenderError, match=r"registryLogin\.pull\.enabled needs registryLogin\.server"):
        render(default(PULLS, at("registryLogin.server", "")))
