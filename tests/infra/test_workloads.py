"""Workloads stack: its releases, and their agreement with the charts and the platform."""

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from aks_kaito import __version__
from aks_kaito.charts.names import CHARTS_FOLDER, IMAGE_TAG
from aks_kaito.settings import Environment, Settings
from support.environments import altered
from support.project import ENVIRONMENTS, ROOT
from support.rendered import ID, chat_objects, cluster_objects, release, values_of
from support.rendering import kinds, names, one
from support.stacks import synthesized
from support.validation import check_core, check_custom

NAMES = [path.stem for path in ENVIRONMENTS]
SIGNED_IN = {"sign_in": "entra", "entra_client_id": ID}


@pytest.fixture(scope="module")
def signed_in(environments: dict[str, Environment]) -> dict[str, Any]:
    """Return the workloads stack of prod with sign-in and a DNS zone, so that history, Key Vault and DNS-01 are on."""
    prod = environments["prod"]
    chat = prod.settings.chat.model_copy(update=SIGNED_IN)
    ingress = prod.settings.ingress.model_copy(
        update={"dns_zone_name": "contoso.com", "dns_zone_resource_group_name": "dns"}
    )
    settings = prod.settings.model_copy(update={"chat": chat, "ingress": ingress})
    return synthesized(Environment("prod", settings), "workloads")


@pytest.mark.parametrize("name", NAMES)
def test_values_satisfy_the_charts_and_make_valid_objects(name: str, workloads: dict[str, dict[str, Any]]) -> None:
    for objects in (chat_objects(workloads[name]), cluster_objects(workloads[name])):
        check_core(objects, "1.35")
        check_custom(objects)


def test_sign_in_enables_history_and_secrets_from_the_vault(signed_in: dict[str, Any]) -> None:
    objects = chat_objects(signed_in)
    settings = one(objects, "ConfigMap", "kaito-chat")["data"]
    assert settings["KAITO_CHAT_SIGN_IN"] == "entra"
    assert re.fullmatch(
        r"postgresql://id-chat-kaito-prod-westeurope@psql-kaito-prod-\w{6}\.postgres\.database\.azure\.com/chat\?sslmode=verify-full",
        settings["KAITO_CHAT_DATABASE_URL"],
    )
    provider = one(objects, "SecretProviderClass")["spec"]["parameters"]
    assert provider["keyvaultName"].startswith("kv-kaito-prod-")
    assert (provider["clientID"], provider["tenantId"]) == (ID, ID)


@pytest.mark.parametrize(("minutes", "expected"), [(2, None), (5, None), (6, 660), (60, 3900), (1440, 86700)])
def test_a_changed_signing_secret_waits_for_the_interval_in_which_pods_receive_it(
    environments: dict[str, Environment], minutes: int, expected: int | None
) -> None:
    slow = altered(
        environments["prod"], chat=SIGNED_IN, cluster={"key_vault_secrets_rotation_interval_minutes": minutes}
    )
    settings = values_of(synthesized(slow, "workloads"), "kaito-chat")["chat"]["settings"]
    assert settings.get("KAITO_CHAT_AUTH_SECRET_DELAY_SECONDS") == expected
    app = (ROOT / "app" / "kaito_chat" / "settings" / "access.py").read_text(encoding="utf-8")
    (default,) = re.findall(r"auth_secret_delay_seconds: .* = (\d+)", app)
    assert int(default) == 600 >= (2 + 5) * 60


def test_without_sign_in_there_is_no_history(environments: dict[str, Environment]) -> None:
    open_to_all = {"sign_in": "none", "public_without_sign_in": True}
    data = environments["prod"].settings.model_dump(mode="json", exclude_none=True)
    data["chat"] |= open_to_all
    del data["chat"]["entra_client_id"]
    objects = chat_objects(synthesized(Environment("prod", Settings.model_validate(data)), "workloads"))
    assert "Job" not in kinds(objects)
    assert "KAITO_CHAT_DATABASE_URL" not in one(objects, "ConfigMap", "kaito-chat")["data"]


def test_secrets_of_manual_certificates_have_the_documented_names(environments: dict[str, Environment]) -> None:
    without = altered(
        environments["dev"],
        ingress={
            "hostname": "chat.contoso.com",
            "model_hostname": "model.contoso.com",
            "model_allowed_ip_ranges": ["52.174.1.2"],
        },
        workloads={"cert_manager_enabled": False},
    )
    objects = chat_objects(synthesized(without, "workloads"))
    secrets = {tls["secretName"] for each in objects if each["kind"] == "Ingress" for tls in each["spec"]["tls"]}
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"^\| `cert_manager_enabled` .*", page, re.MULTILINE)
    assert secrets == set(re.findall(r"`(kaito-chat[-a-z]*)`", said)) == {"kaito-chat-tls", "kaito-chat-model-tls"}


def test_the_route_and_the_gateway_have_the_same_host(signed_in: dict[str, Any]) -> None:
    route, gateway = one(chat_objects(signed_in), "HTTPRoute"), one(cluster_objects(signed_in), "Gateway")
    assert route["spec"]["hostnames"] == ["chat.contoso.com"]
    assert {listener["hostname"] for listener in gateway["spec"]["listeners"]} == {"chat.contoso.com"}
    parent = route["spec"]["parentRefs"][0]
    assert (parent["name"], parent["namespace"]) == (gateway["metadata"]["name"], gateway["metadata"]["namespace"])
    assert parent["sectionName"] in {listener["name"] for listener in gateway["spec"]["listeners"]}


@pytest.mark.parametrize("name", NAMES)
def test_certificates_use_an_existing_issuer(name: str, workloads: dict[str, dict[str, Any]]) -> None:
    objects = [*chat_objects(workloads[name]), *cluster_objects(workloads[name])]
    issuers = {each for kind, each in names(objects) if kind == "ClusterIssuer"}
    asked = {
        each["metadata"]["annotations"]["cert-manager.io/cluster-issuer"]
        for each in objects
        if "cert-manager.io/cluster-issuer" in each["metadata"].get("annotations", {})
    }
    assert asked <= issuers
    assert bool(asked) == bool(kinds(objects) & {"Ingress", "Gateway"})


@pytest.mark.parametrize("name", NAMES)
def test_the_namespace_enforces_a_level_that_kaitos_pods_satisfy(
    name: str, workloads: dict[str, dict[str, Any]]
) -> None:
    (namespace,) = workloads[name]["resource"]["kubernetes_namespace_v1"].values()
    assert namespace["metadata"][0]["labels"] == {
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_clusters_admin_credentials_are_not_used(name: str, workloads: dict[str, dict[str, Any]]) -> None:
    text = json.dumps(workloads[name])
    assert "kube_admin_config" not in text
    assert "kubernetes_manifest" not in text


@pytest.mark.parametrize("login", ["azurecli", "azd", "msi", "spn", "workloadidentity"])
def test_providers_sign_in_as_the_settings_say(login: str, environments: dict[str, Environment]) -> None:
    document = synthesized(altered(environments["dev"], workloads={"credentials": login}), "workloads")
    (kubernetes,), (helm,) = document["provider"]["kubernetes"], document["provider"]["helm"]
    # Entra ID application of every AKS cluster's API server.
    server = "6dae42f8-4368-4678-94ff-3960e28e3630"
    for signed in (kubernetes["exec"][0], helm["kubernetes"]["exec"]):
        assert signed["command"] == "kubelogin"
        assert signed["args"] == ["get-token", "--server-id", server, "--login", login]


@pytest.mark.parametrize("name", NAMES)
def test_the_chat_is_installed_after_the_wait_for_kaito(name: str, workloads: dict[str, dict[str, Any]]) -> None:
    found = workloads[name]["resource"]["helm_release"]
    (waiting,) = [key for key, each in found.items() if each["name"] == "kaito-cluster"]
    assert f"helm_release.{waiting}" in release(workloads[name], "kaito-chat")["depends_on"]
    job = one(cluster_objects(workloads[name]), "Job")
    seconds = int(job["spec"]["template"]["spec"]["containers"][0]["args"][1])
    assert release(workloads[name], "kaito-cluster")["wait_for_jobs"] is True
    assert seconds < job["spec"]["activeDeadlineSeconds"] < release(workloads[name], "kaito-cluster")["timeout"]


def test_the_tag_is_the_charts_and_the_applications_version() -> None:
    chart = yaml.safe_load((ROOT / "charts" / "kaito-chat" / "Chart.yaml").read_text(encoding="utf-8"))
    application = tomllib.loads((ROOT / "app" / "pyproject.toml").read_text(encoding="utf-8"))
    assert __version__ == IMAGE_TAG == chart["appVersion"] == application["project"]["version"]


def dependencies(document: dict[str, Any], address: str) -> set[str]:
    """Return the direct and indirect dependencies of a resource."""
    kind, _, name = address.partition(".")
    found = set(document["resource"][kind][name].get("depends_on", []))
    return found.union(*(dependencies(document, each) for each in found))


def test_resources_are_deleted_before_the_controllers_that_clean_them_up(workloads: dict[str, dict[str, Any]]) -> None:
    dev = workloads["dev"]
    at = {each["name"]: f"helm_release.{key}" for key, each in dev["resource"]["helm_release"].items()}
    # cert-manager removes its finalizers in the namespace; a Gateway releases the address that NGINX needs.
    assert dependencies(dev, "kubernetes_namespace_v1.namespace") == {at["cert-manager"]}
    assert at["kaito-cluster"] in dependencies(dev, at["nginx-ingress"])
    assert set(at.values()) - {at["kaito-chat"]} < dependencies(dev, at["kaito-chat"])


def test_one_digest_pins_the_chat_and_the_wait(workloads: dict[str, dict[str, Any]]) -> None:
    digest = "sha256:" + "a" * 64
    dev = workloads["dev"]
    chat = values_of(dev, "kaito-chat", digest)["chat"]["image"]
    wait = values_of(dev, "kaito-cluster", digest)["awaitKaito"]["image"]
    assert chat == wait
    assert wait["digest"] == digest


@pytest.mark.parametrize("chart", ["kaito-chat", "kaito-cluster"])
def test_a_changed_chart_file_changes_the_release(
    chart: str, workloads: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    from aks_kaito.charts.releases import fingerprint  # noqa: PLC0415  (starts Node.js)

    assert release(workloads["dev"], chart)["description"] == f"files {fingerprint(CHARTS_FOLDER / chart)}"
    copy = shutil.copytree(CHARTS_FOLDER / chart, tmp_path / chart)
    (copy / "README.md").write_text("another")
    assert fingerprint(copy) == fingerprint(CHARTS_FOLDER / chart)
    files = {"kaito-chat": ["files/alerts.yaml", "files/dashboards/chat.json"], "kaito-cluster": []}[chart]
    for name in ("Chart.yaml", "values.yaml", "templates/_labels.tpl", *files):
        before = fingerprint(copy)
        (copy / name).write_text((copy / name).read_text() + "\n# another\n")
        assert fingerprint(copy) != before, name


@pytest.mark.parametrize("part", ["platform", "workloads"])
def test_state_may_be_a_blob_reached_with_entra_id(environments: dict[str, Environment], part: str) -> None:
    from cdktn import Testing as CdkTesting  # noqa: PLC0415  (starts Node.js)

    from aks_kaito.stacks.synthesis import add  # noqa: PLC0415  (likewise)

    dev = environments["dev"]
    place = {"backend": "azurerm", "resource_group_name": "states", "storage_account_name": "states123"}
    state = dev.settings.state.model_copy(update=place)
    app = CdkTesting.app()
    stacks = add(app, Environment("dev", dev.settings.model_copy(update={"state": state})))
    (stack,) = [each for each in stacks if each.node.id.endswith(part)]
    backend = stack.to_terraform()["terraform"]["backend"]
    assert backend == {
        "azurerm": {
            "resource_group_name": "states",
            "storage_account_name": "states123",
            "container_name": "tfstate",
            "key": f"kaito/dev/e3b0c44298fc/{part}.tfstate",
            "use_azuread_auth": True,
        }
    }


def test_the_standby_starts_beside_the_model(environments: dict[str, Environment]) -> None:
    changed = altered(environments["prod"], model={"standby_preset": "phi-4", "standby_node_count": 2})
    workspaces = [each for each in chat_objects(synthesized(changed, "workloads")) if each["kind"] == "Workspace"]
    served = {
        (each["inference"]["preset"]["name"], each["resource"]["instanceType"], each["resource"]["count"])
        for each in workspaces
    }
    size = environments["prod"].settings.model.instance_type
    assert served == {("phi-4-mini-instruct", size, 1), ("phi-4", size, 2)}


def test_an_interruption_is_accepted_by_a_setting_only(environments: dict[str, Environment]) -> None:
    values = [
        values_of(synthesized(altered(environments["prod"], model=model), "workloads"), "kaito-chat")["model"]
        for model in ({}, {"interruption_allowed": True})
    ]
    assert ["allowInterruption" in each for each in values] == [False, True]
    assert values[1]["allowInterruption"] is True
