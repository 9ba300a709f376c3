"""Routing by load from the environment file to the cluster's properties and the objects of the chat's release."""

from typing import Any

import pytest

from aks_kaito.charts.names import MODELS_GATEWAY
from aks_kaito.settings import Environment
from support.environments import altered
from support.inventory import paths
from support.rendered import chat_objects
from support.rendering import names, one
from support.stacks import synthesized
from support.validation import check_core, check_custom

HELM = {"distribution": "helm", "version": "0.12.0"}


@pytest.fixture(scope="module")
def routed(environments: dict[str, Environment]) -> Environment:
    return altered(environments["dev"], kaito={**HELM, "routing": "gateway"}, cluster={"gateway_api_enabled": True})


@pytest.mark.parametrize(
    ("mode", "enabled", "installation", "istio"),
    [
        ("nginx", True, "Standard", "Enabled"),
        ("none", True, "Standard", "Enabled"),
        ("gateway", False, "Standard", "Enabled"),
        ("nginx", False, "Disabled", "Disabled"),
    ],
)
def test_the_cluster_has_the_gateway_api_where_it_is_used(
    mode: str, *, enabled: bool, installation: str, istio: str, environments: dict[str, Environment]
) -> None:
    changed = altered(environments["dev"], ingress={"mode": mode}, cluster={"gateway_api_enabled": enabled})
    switch = paths(synthesized(changed))["azapi_update_resource:kaito"]
    ingress = switch["body"]["properties"]["ingressProfile"]
    assert ingress["gatewayAPI"] == {"installation": installation}
    assert ingress["webAppRouting"]["gatewayAPIImplementations"] == {"appRoutingIstio": {"mode": istio}}
    assert switch["ignore_missing_property"] is (istio == "Disabled")


def test_the_release_routes_through_a_gateway_of_its_own(routed: Environment) -> None:
    objects = chat_objects(synthesized(routed, "workloads"))
    check_core(objects, "1.35")
    checked = check_custom(objects)
    assert ("kaito-0.12.0", "InferenceSet") in checked
    assert not [each for each in objects if each["kind"] == "Workspace"]
    assert one(objects, "Gateway")["metadata"]["name"] == MODELS_GATEWAY
    (model,) = [name for kind, name in names(objects) if kind == "InferenceSet"]
    assert ("InferencePool", model) in names(objects)
    assert one(objects, "ConfigMap", "kaito-chat")["data"]["KAITO_CHAT_ENDPOINT_URL"] == f"http://{model}"


def test_the_open_source_kaito_alone_changes_the_model_only(
    environments: dict[str, Environment], workloads: dict[str, dict[str, Any]]
) -> None:
    before = names(chat_objects(workloads["dev"]))
    after = names(chat_objects(synthesized(altered(environments["dev"], kaito=HELM), "workloads")))
    assert {kind for kind, _ in after - before} == {"InferenceSet", "NetworkPolicy", "PodMonitor", "Service"}
    assert {kind for kind, _ in before - after} == {"Workspace", "NetworkPolicy", "PodMonitor"}
