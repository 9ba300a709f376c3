"""Secrets and identities of the application: sign-in, Key Vault, workload identity, API tokens."""

import pytest

from support.rendering import RenderError, at, case, container, default, kinds, one, pod, render

SIGN_IN = at("chat.settings", {"KAITO_CHAT_SIGN_IN": "password"})
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
    assert [each["key"] for each in provider["secretObjects"][0]["data"]] == [
        "KAITO_CHAT_AUTH_SECRET",
        "KAITO_CHAT_ENTRA_CLIENT_SECRET",
    ]
    with pytest.raises(RenderError, match=r"chat\.workloadIdentity\.enabled"):
        render(case("everything") | {"chat": case("everything")["chat"] | {"workloadIdentity": {"enabled": False}}})


def test_workload_identity_is_a_label_and_an_annotation() -> None:
    objects = render(default(IDENTITY))
    account = one(objects, "ServiceAccount")["metadata"]["annotations"]
    assert account == {"azure.workload.identity/client-id": "00000000-0000-0000-0000-000000000001"}
    assert pod(IDENTITY)["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert "azure.workload.identity/use" not in pod()["metadata"]["labels"]


def test_a_token_is_mounted_only_to_read_the_workspace() -> None:
    assert pod()["spec"]["automountServiceAccountToken"] is True
    for objects in (render(case("external")), render(default(at("model.replicas", 2)))):
        assert one(objects, "Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
        assert not kinds(objects) & {"Role", "RoleBinding"}
    assert one(render(), "ServiceAccount")["automountServiceAccountToken"] is False
    assert one(render(), "Pod")["spec"]["automountServiceAccountToken"] is False
