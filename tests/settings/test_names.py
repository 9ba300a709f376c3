"""Names that Azure, AKS or Kubernetes refuses: users, namespaces, service accounts, labels, prefixes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aks_kaito.catalog import CATALOG
from aks_kaito.charts import theirs
from aks_kaito.naming import Names
from aks_kaito.settings import load
from support.environment_files import changed, edited, problems, warnings, written
from support.project import TODAY

SUBSCRIPTION = "5c1d6a0e-7b52-4f0c-9a3d-2f6b8e1c4d70"
OTHER_SUBSCRIPTION = "8e2f7b1d-3a64-4c5e-b0f9-6d7a9c1e2f35"


def gateway(subscription: str) -> str:
    """Return the line of an application gateway in a subscription."""
    path = f"/subscriptions/{subscription}/resourceGroups/hub/providers/Microsoft.Network/applicationGateways/agw"
    return f'application_gateway_resource_id = "{path}"'


@pytest.mark.parametrize("name", ["_azure", "1st", "Admin", "a" * 33, "-x", "a.b", ""])
def test_user_names_that_azurerm_refuses_are_refused(name: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("cluster", f'admin_username = "{name}"')))
    assert "must be a Linux user name" in found["cluster.admin_username"]


@pytest.mark.parametrize("name", ["admin", "root", "test", "user5", "administrator", "support_388945a0", "a"])
def test_user_names_that_azure_reserves_are_refused(name: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("cluster", f'admin_username = "{name}"')))
    assert "must not be a name that Azure reserves: 1, 123, a, " in found["cluster.admin_username"]


@pytest.mark.parametrize("name", ["azadmin", "ops", "a_b-c9", "adminuser"])
def test_other_user_names_are_accepted(name: str, tmp_path: Path) -> None:
    assert load(written(tmp_path, changed("cluster", f'admin_username = "{name}"')), TODAY)


@pytest.mark.parametrize(
    "name",
    ["default", "kube-system", "kube-public", "kube-node-lease", "kube-mine", "gatekeeper-system", "calico-system"],
)
def test_namespaces_of_the_system_are_refused(name: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("chat", f'namespace = "{name}"')))
    assert "must not be the namespace of the system" in found["chat.namespace"]


@pytest.mark.parametrize(
    ("name", "off", "on"),
    [
        ("cert-manager", {"workloads": ["cert_manager_enabled = false"]}, {}),
        ("nginx-ingress", {"ingress": ['mode = "gateway"']}, {}),
        ("monitoring", {}, {"workloads": ["kube_prometheus_stack_enabled = true"]}),
        ("dapr-system", {}, {"cluster": ["dapr_enabled = true"]}),
        ("flux-system", {}, {"flux": ["enabled = true", 'url = "https://github.com/contoso/fleet"']}),
    ],
)
def test_namespaces_of_other_releases_are_refused(
    name: str, off: dict[str, list[str]], on: dict[str, list[str]], tmp_path: Path
) -> None:
    chat = {"chat": [f'namespace = "{name}"']}
    assert load(written(tmp_path, edited({**chat, **off})), TODAY)
    assert "must not be the namespace of" in problems(written(tmp_path, edited({**chat, **on})))["chat.namespace"]


def test_every_release_keeps_its_namespace(tmp_path: Path) -> None:
    charts = [found for found in vars(theirs).values() if isinstance(found, theirs.Chart)]
    assert charts
    stack = {
        "workloads": ["kube_prometheus_stack_enabled = true"],
        "kaito": ['distribution = "helm"', 'version = "0.12.0"', 'provisioner = "gpu-provisioner"'],
    }
    for chart in charts:
        text = edited({**stack, "chat": [f'namespace = "{chart.namespace}"']})
        assert "chat.namespace" in problems(written(tmp_path, text)), chart.name


def test_the_default_service_account_is_refused(tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("chat", 'service_account_name = "default"')))
    assert "ServiceAccount that Kubernetes creates" in found["chat.service_account_name"]


@pytest.mark.parametrize(("length", "refused"), [(56, False), (57, True), (63, True)])
def test_the_federated_credentials_name_has_at_most_120_characters(
    length: int,
    refused: bool,  # noqa: FBT001 (a parameter of a test)
    tmp_path: Path,
) -> None:
    path = written(tmp_path, changed("chat", f'namespace = "{"n" * 63}"', f'service_account_name = "{"s" * length}"'))
    if refused:
        expected = f"at most 119 characters together with chat.namespace; the two have {63 + length}"
        assert expected in problems(path)["chat.service_account_name"]
    else:
        assert load(path, TODAY)


@pytest.mark.parametrize(
    "label",
    [
        "kubernetes.azure.com/mode",
        "kubernetes.azure.com/anything",
        "kubernetes.io/role",
        "topology.kubernetes.io/zone",
        "node.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "node-role.kubernetes.io/agent",
        "feature.k8s.io/x",
        "agentpool",
        "storagetier",
        "Accelerator",
    ],
)
@pytest.mark.parametrize("pool", ["system_pool", "user_pool"])
def test_labels_that_aks_reserves_are_refused(pool: str, label: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed(pool, f'node_labels = {{"{label}" = "x"}}')))
    assert "the names that AKS reserves" in found[f"{pool}.node_labels"]
    assert label in found[f"{pool}.node_labels"]


@pytest.mark.parametrize("label", ["team", "contoso.com/team", "node.kubernetes.io/team", "mykubernetes.io/x", "pool"])
def test_other_labels_are_accepted(label: str, tmp_path: Path) -> None:
    assert load(written(tmp_path, changed("user_pool", f'node_labels = {{"{label}" = "x"}}')), TODAY)


@pytest.mark.parametrize(
    ("taints", "words"),
    [
        (["a/b/c=x:NoSchedule"], "must be a taint such as workload=chat:NoSchedule"),
        (["/team=x:NoSchedule"], "must be a taint"),
        (["Contoso.com/team=x:NoSchedule"], "must be a taint"),
        (["contoso..com/team=x:NoSchedule"], "must be a taint"),
        (["team-=x:NoSchedule"], "must be a taint"),
        ([f"{'n' * 64}=x:NoSchedule"], "must be a taint"),
        ([f"{'n' * 254}/team=x:NoSchedule"], "must be a taint"),
        (["team=-x:NoSchedule"], "must be a taint"),
        (["team=x.:NoSchedule"], "must be a taint"),
        ([f"team={'v' * 64}:NoSchedule"], "must be a taint"),
        (["team=ä:NoSchedule"], "must be a taint"),
        (["team:NoSchedule"], "must be a taint"),
        (["team=x:Never"], "must be a taint"),
        (["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"], "whose taints AKS adds itself"),
        (["kubernetes.azure.com/mode=x:NoExecute"], "whose taints AKS adds itself"),
        (["team=x:NoSchedule", "team=x:NoSchedule"], "not two of team with NoSchedule"),
        (["team=x:NoSchedule", "pool=x:NoSchedule", "team=y:NoSchedule"], "not two of team with NoSchedule"),
    ],
)
def test_taints_that_aks_refuses_are_refused(taints: list[str], words: str, tmp_path: Path) -> None:
    text = ", ".join(f'"{taint}"' for taint in taints)
    found = problems(written(tmp_path, changed("user_pool", f"node_taints = [{text}]")))
    assert words in found["user_pool.node_taints"]


@pytest.mark.parametrize(
    "taints",
    [
        ("team=:NoSchedule",),
        ("contoso.com/team=a_b.c:NoExecute",),
        ("team=x:NoSchedule", "team=x:NoExecute", "pool=x:NoSchedule"),
        (f"{'n' * 63}={'v' * 63}:PreferNoSchedule",),
        ("CriticalAddonsOnly=true:NoSchedule",),
    ],
)
def test_other_taints_are_accepted(taints: tuple[str, ...], tmp_path: Path) -> None:
    text = ", ".join(f'"{taint}"' for taint in taints)
    path = written(tmp_path, changed("user_pool", f"node_taints = [{text}]"))
    assert load(path, TODAY).settings.user_pool.node_taints == taints


@pytest.mark.parametrize(
    ("prefix", "environment", "words"),
    [
        ("microsoft", "dev", "the word microsoft"),
        ("Windows1", "dev", "the word windows"),
        ("kaito", "windows", "the word windows"),
        ("micro", "soft", "the word microsoft"),
        ("win", "d-ows", "the word windows"),
        ("loginapp", "dev", "must not begin with login"),
    ],
)
def test_words_that_azure_refuses_are_refused(prefix: str, environment: str, words: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed("", f'prefix = "{prefix}"'), environment)
    assert words in problems(path)["prefix"]


@pytest.mark.parametrize(
    ("prefix", "environment", "key"), [("azure", "dev", "prefix"), ("kaito", "office", "environment")]
)
def test_words_that_azure_reserves_warn(prefix: str, environment: str, key: str, tmp_path: Path) -> None:
    (warning,) = warnings(written(tmp_path, changed("", f'prefix = "{prefix}"'), environment))
    assert warning.startswith(f"{key} = ")
    assert "is a word that Azure reserves" in warning


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("my-microsoft-vault", "must not have the word microsoft"),
        ("MyWindowsVault", "must not have the word windows"),
        ("vault-win-dows", "must not have the word windows"),
        ("Login-vault", "must not begin with login"),
    ],
)
def test_words_that_azure_refuses_in_the_vaults_name_are_refused(name: str, words: str, tmp_path: Path) -> None:
    assert words in problems(written(tmp_path, changed("key_vault", f'name = "{name}"')))["key_vault.name"]


@pytest.mark.parametrize("name", ["kv-login-contoso", "kv-office", "kv-azure-1"])
def test_other_names_of_vaults_are_accepted(name: str, tmp_path: Path) -> None:
    assert warnings(written(tmp_path, changed("key_vault", f'name = "{name}"'))) == []


def test_a_vaults_name_that_azure_reserves_warns(tmp_path: Path) -> None:
    (warning,) = warnings(written(tmp_path, changed("key_vault", 'name = "SharePoint"')))
    assert warning.startswith('key_vault.name = "SharePoint": is a word that Azure reserves')


@pytest.mark.parametrize("environment", ["production", "development", "staging", "test", "acceptance", "qa"])
def test_obvious_names_of_environments_work(environment: str, tmp_path: Path) -> None:
    assert warnings(written(tmp_path, changed("", 'prefix = "kaito"'), environment)) == []


@given(
    prefix=st.from_regex(r"[A-Za-z][A-Za-z0-9]{1,9}", fullmatch=True),
    environment=st.from_regex(r"[a-z](-?[a-z0-9]){1,14}", fullmatch=True).filter(lambda name: 2 <= len(name) <= 16),
    location=st.sampled_from(sorted(CATALOG.regions)),
)
def test_azure_accepts_the_names_of_every_environment(prefix: str, environment: str, location: str) -> None:
    assert list(Names(prefix, environment, location).broken()) == []


def test_an_application_gateway_of_another_subscription_is_refused(tmp_path: Path) -> None:
    def text(owner: str) -> str:
        edits = {"": [f'subscription_id = "{SUBSCRIPTION}"'], "ingress": ['mode = "none"'], "cluster": [gateway(owner)]}
        return edited(edits)

    found = problems(written(tmp_path, text(OTHER_SUBSCRIPTION)))
    assert f"({SUBSCRIPTION})" in found["cluster.application_gateway_resource_id"]
    assert warnings(written(tmp_path, text(SUBSCRIPTION))) == []


def test_an_application_gateway_warns_while_the_subscription_is_unset(tmp_path: Path) -> None:
    path = written(tmp_path, edited({"ingress": ['mode = "none"'], "cluster": [gateway(SUBSCRIPTION)]}))
    (warning,) = warnings(path)
    assert "is not checked while subscription_id is unset" in warning


def test_metrics_without_public_access_warn(tmp_path: Path) -> None:
    (warning,) = warnings(written(tmp_path, changed("monitoring", "public_network_access_enabled = false")))
    assert "managed private endpoint" in warning
