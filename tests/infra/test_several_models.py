"""Several models from the environment file to the objects in the cluster, and their Azure resources."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aks_kaito import __version__
from aks_kaito.charts import ours
from aks_kaito.review import billing, summary, table
from aks_kaito.review.documents import document
from aks_kaito.settings import Environment, Settings, load
from support.environment_files import OPEN, changed, written
from support.project import TODAY
from support.rendering import INFERENCE_SET, Object, merged, render
from support.stacks import synthesized
from support.validation import check_custom, definitions

A100, NCADS = "Standard_NC24ads_A100_v4", "Standard NCADS_A100_v4 Family vCPUs"
MODELS = f"""
[models.llama]
preset = "llama-3.1-8b-instruct"
instance_type = "{A100}"
replicas = 3
max_model_len = 8192
access_secret = "hugging-face"
display_name = "Llama"
hostname = "llama.kaito.dev"
[models.custom]
template = "custom.yaml"
instance_type = "Standard_D8ads_v5"
"""
TEMPLATE = "spec:\n  containers:\n    - {name: server, image: example.azurecr.io/server:1}\n"
INGRESS = (
    'hostname = "chat.kaito.dev"',
    'model_hostname = "phi.kaito.dev"',
    'model_basic_auth_secret_name = "users"',
    'dns_zone_name = "kaito.dev"',
    'dns_zone_resource_group_name = "dns"',
)
# Values that Terraform adds after the deployment of the platform.
ADDED = {
    "chat": {
        "image": {"tag": __version__},
        "workloadIdentity": {"clientId": "00000000-0000-0000-0000-000000000001"},
        "keyVault": {"tenantId": "00000000-0000-0000-0000-000000000002"},
    }
}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    (tmp_path / "custom.yaml").write_text(TEMPLATE, encoding="utf-8")
    return load(written(tmp_path, changed("ingress", *INGRESS) + OPEN + MODELS), TODAY)


def rendered(environment: Environment) -> list[Object]:
    return render(merged(ours.chat(environment), ADDED), release="kaito-chat", namespace="kaito-chat")


def test_objects_of_all_models_are_valid_on_both_versions_of_kaito(environment: Environment) -> None:
    objects = rendered(environment)
    workspaces = [each for each in objects if each["kind"] == "Workspace"]
    sizes = sorted((each["resource"]["instanceType"] for each in workspaces), key=str.lower)
    assert sizes == ["Standard_D8ads_v5", A100, A100, A100, "Standard_NV36ads_A10_v5"]
    assert {("kaito-0.6.0", "Workspace"), ("kaito-0.12.0", "Workspace")} <= check_custom(objects)


@pytest.mark.parametrize(
    "keys",
    [
        {"instance_type": "", "node_labels": {"pool": "gpu"}, "mig_profile": "2g.20gb"},
        {"auto_upgrade": {"strategy": "Surge", "schedule": "0 2 * * 6"}},
        {"min_replicas": 1, "max_replicas": 4},
    ],
)
def test_features_of_the_open_source_kaito_are_valid_on_its_newer_version(
    keys: dict[str, Any], environment: Environment
) -> None:
    data = environment.settings.model_dump(mode="json", exclude_none=True)
    data["models"] = {"other": {"preset": "phi-4", **keys}}
    changed_ = Environment("dev", Settings.model_validate(data))
    values = merged(ours.chat(changed_), ADDED)
    objects = render(values, release="kaito-chat", namespace="kaito-chat", api_versions=(INFERENCE_SET,))
    labelled = [each for each in objects if each["metadata"]["labels"].get("kaito-chat/model") == "other"]
    (found,) = [each for each in labelled if is_model(each)]
    schemas = dict(definitions()[found["apiVersion"], found["kind"]])
    jsonschema.validate(found, schemas["kaito-0.12.0"], cls=jsonschema.Draft202012Validator)


def is_model(each: Object) -> bool:
    return each["kind"] in ("Workspace", "InferenceSet")


def test_the_chat_has_one_profile_per_model_and_the_address_of_each_copy(environment: Environment) -> None:
    (settings,) = [
        each["data"]
        for each in rendered(environment)
        if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "kaito-chat"
    ]
    models = json.loads(settings["KAITO_CHAT_MODELS"])
    assert [model["name"] for model in models] == ["phi-4-mini-instruct", "custom", "Llama"]
    assert [len(model.get("replica_urls", [])) for model in models] == [0, 0, 2]


def test_each_published_model_has_a_dns_record_and_the_chat_reads_the_token(environment: Environment) -> None:
    resources = synthesized(environment)["resource"]
    records = {name: each["name"] for name, each in resources["azurerm_dns_a_record"].items()}
    assert sorted(records.values()) == ["chat", "llama", "phi"]
    scopes = [each["scope"] for each in resources["azurerm_role_assignment"].values()]
    assert [scope.rpartition("/")[2] for scope in scopes if "/secrets/" in scope] == ["hugging-face"]


def test_quota_and_nodes_are_of_all_models_and_copies(environment: Environment) -> None:
    found = summary.summarize(environment, [])
    assert found.quota == {"Standard NVADSA10v5 Family vCPUs": 36, NCADS: 72}
    text = " ".join(table.text(found).split())
    assert f"Model llama llama-3.1-8b-instruct 3 copies of 1 × {A100}" in text
    assert "Model custom custom.yaml 1 × Standard_D8ads_v5" in text
    stacks = {"dev": document("platform", synthesized(environment))}
    (cells,) = [row for row in billing.rows([environment], stacks) if row[0].startswith("GPU nodes")]
    assert cells[1] == f"1 × Standard_NV36ads_A10_v5, 1 × Standard_D8ads_v5, 3 × {A100}"


def test_tokens_without_sign_in_need_only_the_vault(environment: Environment) -> None:
    values = ours.chat(environment)
    assert values["chat"]["keyVault"] == {"name": environment.names.key_vault}
    text = json.dumps(synthesized(environment, "workloads")["resource"]["helm_release"])
    assert "tenantId" in text
