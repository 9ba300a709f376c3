"""InferenceSets and the chat: its settings, its access to their progress, and to the replicas of those that sleep."""

import json
from typing import Any

import pytest

from support.rendering import Object, at, default, merged, one, render

SCHEDULE = {"wakes": "0 8 * * 1-5", "sleeps": "0 20 * * 1-5", "timeZone": "Europe/Rome", "replicas": 2}
SET = at("model.kind", "InferenceSet")
SLEEPS = merged(SET, at("model.schedule", SCHEDULE))
WAKES = at("chat.settings", {"KAITO_CHAT_WAKE_ALLOWED": "listed", "KAITO_CHAT_WAKE_USERS": ["ada"]})
API = {"apiGroups": ["kaito.sh"]}
LIST = API | {"resources": ["workspaces"], "verbs": ["list"]}
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


def reading(*names: str) -> list[dict[str, Any]]:
    """Return the rules with which the chat reads InferenceSets."""
    return [API | {"resources": ["inferencesets"], "resourceNames": list(names), "verbs": ["get"]}, LIST]


def waking(*names: str) -> dict[str, Any]:
    return API | {"resources": ["inferencesets/scale"], "resourceNames": list(names), "verbs": ["get", "patch"]}


def chat_rules(objects: list[Object]) -> list[dict[str, Any]]:
    return list(one(objects, "Role", "demo")["rules"])


def test_the_chat_may_read_its_own_set_and_scale_it_only_if_users_wake_it() -> None:
    objects = render(default(SLEEPS))
    name = one(objects, "InferenceSet")["metadata"]["name"]
    assert chat_rules(objects) == reading(name)
    assert reads_cluster(objects) == (True, True, True)
    assert chat_rules(render(default(SLEEPS, WAKES))) == [*reading(name), waking(name)]


def test_users_may_wake_a_model_without_a_schedule() -> None:
    values = default(SET, WAKES)
    assert "schedule" not in profile(values)
    assert profile(values)["inference_set_name"] == one(render(values), "InferenceSet")["metadata"]["name"]


@pytest.mark.parametrize("settings", [{}, {"KAITO_CHAT_WAKE_ALLOWED": "nobody"}])
def test_the_progress_of_a_set_that_never_sleeps_is_read_too(settings: dict[str, str]) -> None:
    objects = render(default(SET, at("chat.settings", settings)))
    name = one(objects, "InferenceSet")["metadata"]["name"]
    assert rules(objects) == reading(name)
    assert reads_cluster(objects) == (True, True, True)
    data = one(objects, "ConfigMap", "demo")["data"]
    assert data["KAITO_CHAT_INFERENCE_SET_NAME"] == name
    assert not data.keys() & {"KAITO_CHAT_MODELS", "KAITO_CHAT_WORKSPACE_NAME"}


def test_the_names_of_all_sets_are_those_of_the_role() -> None:
    more = {"models": {"second": {"preset": "phi-4"}}, "model": {"standby": {"preset": "phi-2"}}}
    objects = render(default(at("kaito.inferenceSets", "always"), more))
    sets = {each["metadata"]["name"] for each in objects if each["kind"] == "InferenceSet"}
    read, listed = rules(objects)
    assert (set(read["resourceNames"]), len(sets), listed) == (sets, 3, LIST)
    models = json.loads(one(objects, "ConfigMap", "demo")["data"]["KAITO_CHAT_MODELS"])
    assert len({each["inference_set_name"] for each in models} & sets) == 2


def test_a_release_with_both_kinds_reads_both() -> None:
    objects = render(default({"models": {"second": {"preset": "phi-4", "replicas": 2}}}))
    workspace, name = (one(objects, kind)["metadata"]["name"] for kind in ("Workspace", "InferenceSet"))
    assert rules(objects) == [WORKSPACE | {"resourceNames": [workspace]}, *reading(name)]


def test_a_release_with_workspaces_only_reads_their_names_only() -> None:
    for changes in ({}, at("model", {"kind": "Workspace", "replicas": 3}), {"models": {"b": {"preset": "phi-4"}}}):
        objects = render(default(changes))
        names = [each["metadata"]["name"] for each in objects if each["kind"] == "Workspace"]
        (rule,) = rules(objects)
        assert (rule["resources"], rule["verbs"], set(rule["resourceNames"])) == (["workspaces"], ["get"], set(names))
        assert "KAITO_CHAT_INFERENCE_SET_NAME" not in one(objects, "ConfigMap", "demo")["data"]


def test_a_workspace_cannot_be_scaled_and_its_schedule_is_only_shown() -> None:
    values = default(at("model.schedule", SCHEDULE), WAKES)
    objects = render(values)
    (rule,) = rules(objects)
    assert rule == WORKSPACE | {"resourceNames": [one(objects, "Workspace")["metadata"]["name"]]}
    assert "inference_set_name" not in profile(values)
    assert profile(values)["schedule"]["wakes"] == "0 8 * * 1-5"
