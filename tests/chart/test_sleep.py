"""Models that sleep: the chat's settings, and its access to the number of replicas of its own InferenceSets."""

import json
from typing import Any

import pytest

from support.rendering import Object, at, default, merged, one, render

SCHEDULE = {"wakes": "0 8 * * 1-5", "sleeps": "0 20 * * 1-5", "timeZone": "Europe/Rome", "replicas": 2}
SET = at("model.kind", "InferenceSet")
SLEEPS = merged(SET, at("model.schedule", SCHEDULE))
WAKES = at("chat.settings", {"KAITO_CHAT_WAKE_ALLOWED": "listed", "KAITO_CHAT_WAKE_USERS": ["ada"]})
WORKSPACE = {"apiGroups": ["kaito.sh"], "resources": ["workspaces"], "verbs": ["get"]}


def profile(values: dict[str, Any]) -> dict[str, Any]:
    (found,) = json.loads(one(render(values), "ConfigMap", "demo")["data"]["KAITO_CHAT_MODELS"])
    return dict(found)


def rules(objects: list[Object]) -> list[dict[str, Any]]:
    return [rule for each in objects if each["kind"] == "Role" for rule in each["rules"]]


def reads_cluster(objects: list[Object]) -> tuple[bool, bool, bool]:
    """Return whether the chat has a token, a binding, and a way to the API server."""
    token = one(objects, "Deployment", "demo")["spec"]["template"]["spec"]["automountServiceAccountToken"]
    bound = any(each["kind"] == "RoleBinding" for each in objects)
    ports = [rule.get("ports") for rule in one(objects, "NetworkPolicy", "demo")["spec"]["egress"]]
    return token, bound, [{"port": 443}, {"port": 6443}] in ports


def test_a_schedule_reaches_the_chat_with_the_name_of_the_inference_set() -> None:
    values = default(SLEEPS)
    name = one(render(values), "InferenceSet")["metadata"]["name"]
    found = profile(values)
    assert found["inference_set_name"] == name
    assert found["schedule"] == {
        "wakes": "0 8 * * 1-5",
        "sleeps": "0 20 * * 1-5",
        "time_zone": "Europe/Rome",
        "replicas": 2,
    }


def test_the_chat_may_read_the_scale_of_its_own_model_and_nothing_else() -> None:
    objects = render(default(SLEEPS))
    name = one(objects, "InferenceSet")["metadata"]["name"]
    scale = {"apiGroups": ["kaito.sh"], "resources": ["inferencesets/scale"], "resourceNames": [name]}
    assert rules(objects) == [scale | {"verbs": ["get"]}]
    assert reads_cluster(objects) == (True, True, True)
    woken = render(default(SLEEPS, WAKES))
    assert rules(woken) == [scale | {"verbs": ["get", "patch"]}]


def test_users_may_wake_a_model_without_a_schedule() -> None:
    values = default(SET, WAKES)
    assert "schedule" not in profile(values)
    assert profile(values)["inference_set_name"] == one(render(values), "InferenceSet")["metadata"]["name"]


@pytest.mark.parametrize("settings", [{}, {"KAITO_CHAT_WAKE_ALLOWED": "nobody"}])
def test_an_inference_set_that_never_sleeps_is_not_read(settings: dict[str, str]) -> None:
    objects = render(default(SET, at("chat.settings", settings)))
    assert rules(objects) == []
    assert reads_cluster(objects) == (False, False, False)
    assert "KAITO_CHAT_MODELS" not in one(objects, "ConfigMap", "demo")["data"]


def test_a_workspace_cannot_be_scaled_and_its_schedule_is_only_shown() -> None:
    values = default(at("model.schedule", SCHEDULE), WAKES)
    objects = render(values)
    (rule,) = rules(objects)
    assert rule == WORKSPACE | {"resourceNames": [one(objects, "Workspace")["metadata"]["name"]]}
    assert "inference_set_name" not in profile(values)
    assert profile(values)["schedule"]["wakes"] == "0 8 * * 1-5"
