"""Charts of other projects: their values, and the identities of their service accounts."""

import json
import re
import tomllib
from typing import Any

import pytest

from aks_kaito.charts import theirs
from aks_kaito.settings import Environment
from support.environments import altered
from support.inventory import of_kind
from support.project import ENVIRONMENTS, ROOT
from support.rendered import chat_objects, cluster_objects, release, values_of
from support.stacks import synthesized

NAMES = [path.stem for path in ENVIRONMENTS]


@pytest.mark.parametrize("name", NAMES)
def test_each_federated_credential_names_a_service_account_of_a_release(
    name: str, stacks: dict[str, dict[str, Any]], workloads: dict[str, dict[str, Any]]
) -> None:
    trusted = {each["subject"] for each in of_kind(stacks[name], "azurerm_federated_identity_credential")}
    accounts = [each for each in chat_objects(workloads[name]) if each["kind"] == "ServiceAccount"]
    ours = {subject(each["metadata"]) for each in accounts}
    assert ours
    assert ours <= trusted
    # The KAITO add-on creates the last.
    theirs = {certificates_subject(workloads[name]), "system:serviceaccount:kube-system:kaito-gpu-provisioner"}
    assert trusted <= ours | theirs


def subject(account: dict[str, Any]) -> str:
    """Return the subject of a federated credential for a ServiceAccount."""
    return f"system:serviceaccount:{account['namespace']}:{account['name']}"


def certificates_subject(document: dict[str, Any]) -> str:
    """Return the subject of cert-manager's ServiceAccount, by default named after the release."""
    found, values = release(document, "cert-manager"), values_of(document, "cert-manager")
    return subject({"namespace": found["namespace"], "name": values["serviceAccount"].get("name") or found["name"]})


def test_cert_manager_uses_its_identity_to_write_records(environments: dict[str, Environment]) -> None:
    zone = {"hostname": "chat.contoso.com", "dns_zone_name": "contoso.com", "dns_zone_resource_group_name": "dns"}
    environment = altered(environments["dev"], ingress=zone)
    trusted = of_kind(synthesized(environment), "azurerm_federated_identity_credential")
    document = synthesized(environment, "workloads")
    assert certificates_subject(document) in {each["subject"] for each in trusted}
    values = values_of(document, "cert-manager")
    # Without both, the pods get no token for Entra ID.
    assert values["podLabels"]["azure.workload.identity/use"] == "true"
    assert values["serviceAccount"]["labels"]["azure.workload.identity/use"] == "true"
    assert values["crds"] == {"enabled": True}


@pytest.mark.parametrize("name", NAMES)
def test_cert_manager_uses_the_gateway_api_only_where_it_is_installed(
    name: str, workloads: dict[str, dict[str, Any]]
) -> None:
    gateway = any(each["kind"] == "Gateway" for each in cluster_objects(workloads[name]))
    assert values_of(workloads[name], "cert-manager")["config"]["gatewayAPI"] == {"enabled": gateway}


def test_a_changed_configuration_restarts_cert_manager(workloads: dict[str, dict[str, Any]]) -> None:
    found = [values_of(workloads[name], "cert-manager") for name in ("dev", "prod", "sample")]
    assert len({json.dumps(each["config"]) for each in found}) == len(
        {each["podAnnotations"]["checksum/config"] for each in found}
    )
    assert len({each["podAnnotations"]["checksum/config"] for each in found}) > 1


def test_all_pods_tolerate_the_taints_of_the_user_pool(environments: dict[str, Environment]) -> None:
    tainted = {"spot_enabled": True, "node_taints": ["workload=chat:NoSchedule"]}
    prometheus = {"kube_prometheus_stack_enabled": True}
    document = synthesized(altered(environments["dev"], user_pool=tainted, workloads=prometheus), "workloads")
    expected = [
        {"key": "workload", "operator": "Equal", "value": "chat", "effect": "NoSchedule"},
        {"key": "kubernetes.azure.com/scalesetpriority", "operator": "Equal", "value": "spot", "effect": "NoSchedule"},
    ]
    pods = [
        each["spec"]["template"]["spec"]
        for each in [*chat_objects(document), *cluster_objects(document)]
        if each["kind"] in ("Deployment", "Job")
    ]
    assert [each["tolerations"] for each in pods] == [expected] * 2
    # Paths in each chart's values; node-exporter runs on every node.
    for chart, paths in {
        "cert-manager": ["", "cainjector", "startupapicheck", "webhook"],
        "nginx-ingress": ["controller"],
        "kube-prometheus-stack": [
            "alertmanager.alertmanagerSpec",
            "grafana",
            "kube-state-metrics",
            "prometheus.prometheusSpec",
            "prometheusOperator",
            "prometheusOperator.admissionWebhooks.patch",
        ],
    }.items():
        for path in paths:
            found = values_of(document, chart)
            for key in filter(None, path.split(".")):
                found = found[key]
            assert found["tolerations"] == expected, f"{chart}: {path}"


@pytest.mark.parametrize("name", NAMES)
def test_charts_of_other_projects_have_a_fixed_version(name: str, workloads: dict[str, dict[str, Any]]) -> None:
    for each in workloads[name]["resource"]["helm_release"].values():
        assert ("version" in each) == each.get("repository", "").startswith("oci://")


def controllers_annotations(document: dict[str, Any]) -> dict[str, str]:
    """Return the load balancer annotations of the ingress controller, unless AKS installs it."""
    if [each for each in document["resource"]["helm_release"].values() if each["name"] == "nginx-ingress"]:
        return dict(values_of(document, "nginx-ingress")["controller"]["service"]["annotations"])
    gateways = [each for each in cluster_objects(document) if each["kind"] == "Gateway"]
    return dict(gateways[0]["spec"]["infrastructure"]["annotations"]) if gateways else {}


def test_the_controller_has_the_platforms_address_and_a_health_probe_path(
    stacks: dict[str, dict[str, Any]], workloads: dict[str, dict[str, Any]]
) -> None:
    prefix = "service.beta.kubernetes.io"
    for name, health_path in (("dev", "/nginx-health"), ("prod", "/healthz/ready")):
        found = controllers_annotations(workloads[name])
        addresses = {each["name"]: each for each in stacks[name]["resource"]["azurerm_public_ip"].values()}
        assert found[f"{prefix}/azure-pip-name"] in addresses
        (group,) = stacks[name]["resource"]["azurerm_resource_group"].values()
        assert found[f"{prefix}/azure-load-balancer-resource-group"] == group["name"]
        assert found[f"{prefix}/azure-load-balancer-health-probe-request-path"] == health_path
    controller = values_of(workloads["dev"], "nginx-ingress")["controller"]
    assert (controller["healthStatus"], controller["healthStatusURI"]) == (True, "/nginx-health")
    # Istio's proxy answers "/", Azure's default path, with 404.
    assert {key: value for key, value in controllers_annotations(workloads["prod"]).items() if "/port_" in key} == {
        f"{prefix}/port_{port}_health-probe_{key}": value
        for port in (80, 443)
        for key, value in (("port", "15021"), ("protocol", "http"))
    }
    assert controllers_annotations(workloads["sample"]) == {}


def test_every_chart_comes_from_the_registry_of_the_settings(environments: dict[str, Environment]) -> None:
    prometheus = {"kube_prometheus_stack_enabled": True}
    plain = synthesized(altered(environments["dev"], workloads=prometheus), "workloads")
    registry = {"registry": "contoso.azurecr.io:443/charts/public"}
    ours = synthesized(altered(environments["dev"], workloads=prometheus, charts=registry), "workloads")
    found = {
        each["name"]: (each["chart"], each.get("version"), each.get("repository"))
        for each in ours["resource"]["helm_release"].values()
    }
    assert {name: facts[2] for name, facts in found.items()} == {
        "cert-manager": "oci://contoso.azurecr.io:443/charts/public",
        "nginx-ingress": "oci://contoso.azurecr.io:443/charts/public",
        "kube-prometheus-stack": "oci://contoso.azurecr.io:443/charts/public",
        # Charts of this repository are files.
        "kaito-chat": None,
        "kaito-cluster": None,
    }
    for each in plain["resource"]["helm_release"].values():
        assert found[each["name"]][:2] == (each["chart"], each.get("version"))


def test_the_pins_are_those_without_known_vulnerabilities(environments: dict[str, Environment]) -> None:
    prometheus = {"kube_prometheus_stack_enabled": True}
    document = synthesized(altered(environments["dev"], workloads=prometheus), "workloads")
    pinned = {
        each["chart"]: each["version"] for each in document["resource"]["helm_release"].values() if "version" in each
    }
    numbers = {name: tuple(map(int, version.lstrip("v").split("."))) for name, version in pinned.items()}
    assert numbers["cert-manager"] >= (1, 21, 2)
    assert numbers["nginx-ingress"] >= (2, 7, 1)
    # Grafana 13.2.0 and 13.2.1 have CVE-2026-76154; 92.1 has 13.2.3.
    assert numbers["kube-prometheus-stack"] >= (92, 1)


def test_the_listed_images_are_those_of_the_pinned_charts() -> None:
    listed = tomllib.loads((ROOT / "tools" / "hosts.toml").read_text(encoding="utf-8"))["charts"]
    assert {(each["name"], each["version"]) for each in listed} == {
        (each.name, each.version) for each in vars(theirs).values() if isinstance(each, theirs.Chart)
    }
    for each in listed:
        assert all(re.fullmatch(r"[a-z0-9.]+\.[a-z]+(/[-a-z0-9]+)+(:[-\w.]+)?", image) for image in each["images"])


def rows(page: str, column: int) -> set[str]:
    """Return a column of the tables of a page."""
    return {line.split(" | ")[column].strip("| ") for line in page.splitlines() if line.count(" | ") >= column}


def test_the_page_lists_the_images_of_our_charts() -> None:
    page = (ROOT / "docs" / "reference" / "hosts-and-images.md").read_text(encoding="utf-8")
    pattern = re.compile(r"^ *repository: ([\w./-]+)\n *tag: (\S+)$", re.MULTILINE)
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("charts/*/values.yaml")]
    images = {f"{repository}:{tag}" for text in texts for repository, tag in pattern.findall(text)}
    assert images == {
        "mcr.microsoft.com/oss/v2/llm-d/llm-d-router-endpoint-picker:v0.9.0",
        "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless",
    }
    assert {f"`{image}`" for image in images} <= rows(page, 2)
    # No other place of the values has an image.
    assert sum(len(re.findall(r"repository: [^\s\"]", text)) for text in texts) == len(images)


def test_hosts_have_the_port_that_clients_use() -> None:
    hosts = tomllib.loads((ROOT / "tools" / "hosts.toml").read_text(encoding="utf-8"))["hosts"]
    found = {(each["from"], name): each.get("port", 443) for each in hosts for name in each["names"]}
    assert {name: port for (_, name), port in found.items() if port != 443} == {
        "*.postgres.database.azure.com": 5432,
        "name servers of the domain above the DNS zone": 53,
    }
    assert found.keys() >= {
        ("chat", "graph.microsoft.com"),
        ("deploying machine", "*.blob.core.windows.net"),
        ("deploying machine", "*.bastion.azure.com"),
    }


def test_f5s_controller_is_spread_protected_and_silent(workloads: dict[str, dict[str, Any]]) -> None:
    controller = values_of(workloads["dev"], "nginx-ingress")["controller"]
    assert controller["podDisruptionBudget"] == {"enabled": True, "maxUnavailable": 1}
    assert controller["replicaCount"] > controller["podDisruptionBudget"]["maxUnavailable"]
    assert controller["telemetryReporting"] == {"enable": False}
    spread = controller["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    for each in spread:
        # A cluster with one zone or one node still runs both.
        assert (each["maxSkew"], each["whenUnsatisfiable"]) == (1, "ScheduleAnyway")
        assert each["labelSelector"] == {"matchLabels": {"app.kubernetes.io/name": "nginx-ingress"}}
