"""Secrets and identities of the application: sign-in, Key Vault, workload identity, API tokens."""

import ast
import json

import pytest
import yaml

from support.project import ROOT
from support.rendering import RenderError, at, case, container, default, kinds, one, pod, render

SIGN_IN = at("chat.settings", {"KAITO_CHAT_SIGN_IN": "password"})
SCHEMA = json.loads((ROOT / "charts" / "kaito-chat" / "values.schema.json").read_text(encoding="utf-8"))
_VAULT = SCHEMA["properties"]["chat"]["properties"]["keyVault"]["properties"]
KEY_VAULT_SETTINGS = set(_VAULT["secrets"]["propertyNames"]["enum"])
# Fields of the application's settings whose type is secret.
SECRET_FIELDS = {
    node.target.id
    for path in (ROOT / "app" / "kaito_chat" / "settings").glob("*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    if "SecretStr" in ast.unparse(node.annotation)
}
IDENTITY = at("chat.workloadIdentity", {"enabled": True, "clientId": "00000000-0000-0000-0000-000000000001"})


@pytest.mark.parametrize("path", ["chat.existingSecret", "chat.keyVault"])
def test_sign_in_needs_a_secret_to_sign_with(path: str) -> None:
    with pytest.raises(RenderError, match="KAITO_CHAT_AUTH_SECRET"):
        render(default(SIGN_IN))
    vault = {
        "enabled": True,
        "name": "vault",
        "tenantId": "00000000-0000-0000-0000-000000000002",
        "secrets": {"KAITO_CHAT_AUTH_SECRET": "auth"},
    }
    value: object = "mine" if path == "chat.existingSecret" else vault
    sources = container(SIGN_IN, IDENTITY, at(path, value))["envFrom"]
    assert sources[0] == {"configMapRef": {"name": "demo"}}
    assert sources[1] == {"secretRef": {"name": "mine" if value == "mine" else "demo-key-vault"}}


def test_key_vault_is_read_with_the_pods_identity() -> None:
    objects = render(case("everything"))
    provider = one(objects, "SecretProviderClass")["spec"]
    assert provider["parameters"]["clientID"] == "00000000-0000-0000-0000-000000000001"
    files = [yaml.safe_load(each) for each in yaml.safe_load(provider["parameters"]["objects"])["array"]]
    assert [(each["objectName"], each["objectAlias"]) for each in files] == [
        ("chat-auth-secret", "KAITO_CHAT_AUTH_SECRET"),
        ("chat-auth-secret", "KAITO_CHAT_AUTH_SECRET_VERSIONS"),
        ("chat-entra-client-secret", "KAITO_CHAT_ENTRA_CLIENT_SECRET"),
    ]
    assert [each["objectVersionHistory"] for each in files if "objectVersionHistory" in each] == [2]
    copied = [(each["key"], each["objectName"]) for each in provider["secretObjects"][0]["data"]]
    names = ["KAITO_CHAT_AUTH_SECRET", "KAITO_CHAT_ENTRA_CLIENT_SECRET"]
    assert copied == [(name, name) for name in names]  # a copy's source is the file's alias
    with pytest.raises(RenderError, match=r"chat\.workloadIdentity\.enabled"):
        render(case("everything") | {"chat": case("everything")["chat"] | {"workloadIdentity": {"enabled": False}}})


def test_the_application_rereads_the_folders_in_which_secrets_are_mounted() -> None:
    spec = one(render(case("everything")), "Deployment")["spec"]["template"]["spec"]
    (chat,) = spec["containers"]
    environment = {each["name"]: each.get("value") for each in chat["env"]}
    folders = json.loads(environment["KAITO_CHAT_SECRETS_DIRS"])
    mounts = {each["name"]: each for each in chat["volumeMounts"]}
    volumes = {each["name"]: each for each in spec["volumes"]}
    # The last one takes precedence, as with the variables of both sources.
    assert folders == [mounts[name]["mountPath"] for name in ("existing-secret", "key-vault")]
    assert [each["secretRef"]["name"] for each in chat["envFrom"][1:]] == ["kaito-chat", "everything-key-vault"]
    assert volumes["existing-secret"]["secret"] == {"secretName": "kaito-chat"}
    provider = {"secretProviderClass": "everything-key-vault"}
    assert volumes["key-vault"]["csi"]["volumeAttributes"] == provider
    for name in ("existing-secret", "key-vault"):
        assert mounts[name]["readOnly"] is True
        assert "subPath" not in mounts[name]  # Kubernetes does not update files that are mounted by a subPath
    names = {field.removeprefix("KAITO_CHAT_").lower() for field in KEY_VAULT_SETTINGS}
    assert names == SECRET_FIELDS - {"auth_secret_previous"}


def test_without_secrets_nothing_is_reread() -> None:
    names = {each["name"] for each in container()["env"]}
    assert "KAITO_CHAT_SECRETS_DIRS" not in names


def test_workload_identity_is_a_label_and_an_annotation() -> None:
    objects = render(default(IDENTITY))
    account = one(objects, "ServiceAccount")["metadata"]["annotations"]
    assert account == {"azure.workload.identity/client-id": "00000000-0000-0000-0000-000000000001"}
    assert pod(IDENTITY)["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert "azure.workload.identity/use" not in pod()["metadata"]["labels"]


def test_a_token_is_mounted_only_to_read_the_models_of_the_release() -> None:
    assert pod()["spec"]["automountServiceAccountToken"] is True
    assert pod(at("model.replicas", 2))["spec"]["automountServiceAccountToken"] is True
    objects = render(case("external"))
    assert one(objects, "Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
    assert not kinds(objects) & {"Role", "RoleBinding"}
    assert one(render(), "ServiceAccount")["automountServiceAccountToken"] is False
    assert one(render(), "Pod")["spec"]["automountServiceAccountToken"] is False
