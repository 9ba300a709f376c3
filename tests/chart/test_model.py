"""The Workspace or InferenceSet: its name, references to it, its nodes and annotations."""

import pytest
import yaml

from support.rendering import Object, RenderError, at, case, default, one, render


def workspace(*changes: dict[str, object]) -> Object:
    """Return the Workspace of the default values with changes."""
    return one(render(default(*changes)), "Workspace")


def name(*changes: dict[str, object]) -> str:
    """Return the name of the Workspace."""
    found: str = workspace(*changes)["metadata"]["name"]
    return found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.preset", "phi-4"),
        ("model.instanceType", "Standard_NV36ads_A10_v5"),
        ("model.nodeCount", 2),
        ("model.nodeLabels", {"apps": "mine"}),
        ("model.accessSecret", "hugging-face"),
        ("model.image", "example.azurecr.io/phi:1"),
        ("model.template", {"spec": {"containers": []}}),
    ],
)
def test_what_kaito_lets_nobody_change_makes_another_workspace(path: str, value: object) -> None:
    assert name(at(path, value)) != name()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.vllm", {"max-model-len": 4096}),
        ("model.keep", True),
        ("model.runtime", "transformers"),
        ("model.annotations", {"kaito.sh/bypass-resource-checks": "True"}),
        ("model.adapters", [{"name": "tone", "image": "example.azurecr.io/tone:1"}]),
        ("model.displayName", "Phi"),
        ("chat.replicas", 3),
        ("monitoring.azureMonitor", True),
    ],
)
def test_what_may_change_keeps_the_workspace(path: str, value: object) -> None:
    assert name(at(path, value)) == name()


def test_the_chat_follows_its_model() -> None:
    for changes in ({}, at("model.preset", "phi-4")):
        objects = render(default(changes))
        model = one(objects, "Workspace")["metadata"]["name"]
        settings = one(objects, "ConfigMap", "demo")["data"]
        assert settings["KAITO_CHAT_ENDPOINT_URL"] == f"http://{model}"
        assert settings["KAITO_CHAT_WORKSPACE_NAME"] == model
        assert one(objects, "Role")["rules"] == [
            {"apiGroups": ["kaito.sh"], "resources": ["workspaces"], "resourceNames": [model], "verbs": ["get"]}
        ]
        assert one(objects, "Pod")["spec"]["containers"][0]["args"][3] == f"http://{model}"


def test_keep_concerns_the_model_that_the_chat_uses() -> None:
    assert "annotations" not in workspace()["metadata"]
    objects = render(default(at("model.keep", True), at("model.standby.preset", "phi-4")))
    policies = {
        each["inference"]["preset"]["name"]: each["metadata"].get("annotations")
        for each in objects
        if each["kind"] == "Workspace"
    }
    assert policies == {"phi-4-mini-instruct": {"helm.sh/resource-policy": "keep"}, "phi-4": None}


def test_the_workspace_of_the_least_values() -> None:
    found = workspace()
    labels = found["resource"].pop("labelSelector")["matchLabels"]
    assert set(labels) == {"apps"}
    assert found["resource"] == {"instanceType": "Standard_NC24ads_A100_v4", "count": 1}
    assert found["inference"] == {"preset": {"name": "phi-4-mini-instruct"}}


def test_parameters_of_vllm_are_a_configmap_that_the_workspace_names() -> None:
    changes = default(at("model.vllm", {"max-model-len": 4096, "enforce-eager": True}), at("model.maxProbeSteps", 0))
    objects = render(changes)
    config = one(objects, "Workspace")["inference"]["config"]
    content = yaml.safe_load(one(objects, "ConfigMap", config)["data"]["inference_config.yaml"])
    assert content == {"max_probe_steps": 0, "vllm": {"max-model-len": 4096, "enforce-eager": True}}


def test_a_template_goes_instead_of_a_preset() -> None:
    template = {"spec": {"containers": [{"name": "server", "image": "example.azurecr.io/server:1"}]}}
    found = workspace(at("model.template", template))
    assert found["inference"] == {"template": template}
    assert found["metadata"]["name"].startswith("demo-model-")


def test_nodes_of_ones_own() -> None:
    resource = workspace(at("model.instanceType", ""), at("model.nodeLabels", {"gpu": "mine"}))["resource"]
    assert resource == {"count": 1, "labelSelector": {"matchLabels": {"gpu": "mine"}}}


def test_several_replicas_are_an_inference_set_with_a_service_of_their_own() -> None:
    objects = render(default(at("model.replicas", 3)))
    found = one(objects, "InferenceSet")
    model = found["metadata"]["name"]
    assert found["spec"]["replicas"] == 3
    service = one(objects, "Service", model)["spec"]
    assert service["selector"] == {
        "inferenceset.kaito.sh/created-by": model,
        "apps.kubernetes.io/pod-index": "0",  # of several nodes, the first answers
    }
    assert service["ports"] == [{"name": "http", "port": 80, "targetPort": 5000}]
    settings = one(objects, "ConfigMap", "demo")["data"]
    assert settings["KAITO_CHAT_ENDPOINT_URL"] == f"http://{model}"
    assert "KAITO_CHAT_WORKSPACE_NAME" not in settings


def test_what_kaito_reads_off_a_workspace_reaches_those_of_a_set() -> None:
    changes = at("model.annotations", {"kaito.sh/bypass-resource-checks": "True"})
    objects = render(default(at("model.replicas", 2), at("model.runtime", "vllm"), changes))
    assert one(objects, "InferenceSet")["spec"]["template"]["metadata"]["annotations"] == {
        "kaito.sh/bypass-resource-checks": "True",
        "kaito.sh/runtime": "vllm",
    }


def test_other_parameters_are_another_configmap() -> None:
    names = {workspace(at("model.vllm", {"max-model-len": length}))["inference"]["config"] for length in (2048, 4096)}
    assert len(names) == 2


def test_another_model_has_nodes_of_its_own() -> None:
    labels = {
        str(workspace(at(path, value))["resource"]["labelSelector"])
        for path, value in (
            ("model.keep", False),
            ("model.instanceType", "Standard_NC40ads_H100_v5"),
            ("model.nodeCount", 2),
            ("model.accessSecret", "token"),
            ("model.preset", "phi-4"),
        )
    }
    assert len(labels) == 5


def test_autoscaling_is_annotations_for_keda_kaito_scaler() -> None:
    found = one(render(case("everything")), "InferenceSet")
    assert "replicas" not in found["spec"]
    annotations = {
        key.removeprefix("scaledobject.kaito.sh/"): value
        for key, value in found["metadata"]["annotations"].items()
        if key.startswith("scaledobject.kaito.sh/")
    }
    metrics = yaml.safe_load(annotations.pop("metrics"))
    assert annotations == {
        "auto-provision": "true",
        "min-replicas": "1",
        "max-replicas": "3",
        "evaluationwindow": "30",
        "scaleupcooldown": "600",
        "scaledowncooldown": "900",
    }
    assert metrics == [
        {"name": "vllm:num_requests_waiting", "type": "gauge", "upthreshold": 5, "downthreshold": 1},
        {
            "name": "vllm:request_queue_time_seconds",
            "type": "histogram",
            "upthreshold": 2,
            "downthreshold": 0.5,
            "metriccachewindow": 600,
        },
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [("model.replicas", 2), ("model.autoscaling.enabled", True), ("model.kind", "InferenceSet")],
)
def test_a_cluster_without_inference_sets_is_told_so(path: str, value: object) -> None:
    with pytest.raises(RenderError, match=r"Set model\.kind: Workspace, model\.replicas: 1 and model\.autoscaling"):
        render(default(at(path, value)), api_versions=())


def test_one_workspace_needs_no_inference_set() -> None:
    assert one(render(default(), api_versions=()), "Workspace")


def test_without_a_model_there_must_be_another() -> None:
    with pytest.raises(RenderError, match=r"models and chat\.models are empty"):
        render(default(at("model.enabled", False)))


def test_falcon_is_an_example_of_the_older_runtime() -> None:
    found = one(render(case("gateway")), "Workspace")
    assert found["inference"]["preset"]["name"] == "falcon-7b-instruct"
    assert found["metadata"]["annotations"]["kaito.sh/runtime"] == "transformers"
