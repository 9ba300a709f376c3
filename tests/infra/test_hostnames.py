"""Host names: each DNS record of the platform has an Ingress or a Gateway listener with a certificate."""

from typing import Any

import pytest

from aks_kaito.settings import Environment, Settings
from support.inventory import of_kind
from support.rendered import chat_objects, cluster_objects
from support.rendering import Object, names, one
from support.stacks import synthesized
from support.validation import check_core, check_custom

ZONE = {"dns_zone_name": "contoso.com", "dns_zone_resource_group_name": "dns", "hostname": "chat.contoso.com"}
MODEL = {"model_hostname": "model.ai.contoso.com", "model_basic_auth_secret_name": "people"}
MODES: dict[str, dict[str, Any]] = {
    "nginx": {"mode": "nginx", **ZONE},
    "nginx-model": {"mode": "nginx", **ZONE, **MODEL, "model_allowed_ip_ranges": ["52.174.1.2", "52.174.8.0/24"]},
    "gateway": {"mode": "gateway", **ZONE},
    "webapprouting": {"mode": "webapprouting", **ZONE, **MODEL},
}


@pytest.fixture(scope="module", params=MODES)
def stacks_of(
    request: pytest.FixtureRequest, environments: dict[str, Environment]
) -> tuple[dict[str, Any], list[Object]]:
    """Return the platform stack and the objects of both releases, for one ingress mode."""
    data = environments["dev"].settings.model_dump(mode="json", exclude_none=True)
    data["ingress"] = MODES[request.param]
    environment = Environment("dev", Settings.model_validate(data))
    workloads = synthesized(environment, "workloads")
    return synthesized(environment), [*chat_objects(workloads), *cluster_objects(workloads)]


def listeners(objects: list[Object]) -> set[str]:
    """Return the hosts of Ingresses and Gateways."""
    ingresses = [rule["host"] for each in objects if each["kind"] == "Ingress" for rule in each["spec"]["rules"]]
    gateways = [part["hostname"] for each in objects if each["kind"] == "Gateway" for part in each["spec"]["listeners"]]
    return {*ingresses, *gateways}


def test_each_record_has_a_listener(stacks_of: tuple[dict[str, Any], list[Object]]) -> None:
    platform, objects = stacks_of
    records = {f"{record['name']}.{record['zone_name']}" for record in of_kind(platform, "azurerm_dns_a_record")}
    hosts = listeners(objects)
    assert records <= hosts
    # App routing writes the records of its own Ingresses.
    assert records in (hosts, set())
    assert bool(records) == (
        not any(each.get("spec", {}).get("ingressClassName", "").startswith("web") for each in objects)
    )


def test_objects_are_valid_and_certificates_use_dns_01(
    stacks_of: tuple[dict[str, Any], list[Object]],
) -> None:
    _, objects = stacks_of
    check_core(objects, "1.35")
    asked = {
        each["metadata"]["annotations"]["cert-manager.io/cluster-issuer"]
        for each in objects
        if each["kind"] in ("Ingress", "Gateway")
    }
    assert asked == {"letsencrypt-dns"}
    assert ("ClusterIssuer", "letsencrypt-dns") in names(objects)
    issuer = one(objects, "ClusterIssuer", "letsencrypt-dns")["spec"]["acme"]["solvers"][0]["dns01"]["azureDNS"]
    assert (issuer["hostedZoneName"], issuer["resourceGroupName"]) == ("contoso.com", "dns")
    check_custom(objects)


@pytest.mark.parametrize("stacks_of", ["nginx-model"], indirect=True)
def test_the_models_endpoint_requires_a_password_and_an_allowed_address(
    stacks_of: tuple[dict[str, Any], list[Object]],
) -> None:
    _, objects = stacks_of
    model = one(objects, "Ingress", one(objects, "Workspace")["metadata"]["name"])
    assert [rule["host"] for rule in model["spec"]["rules"]] == ["model.ai.contoso.com"]
    assert model["metadata"]["annotations"]["nginx.org/basic-auth-secret"] == "people"
    assert one(objects, "Policy")["spec"]["accessControl"] == {"allow": ["52.174.1.2/32", "52.174.8.0/24"]}
