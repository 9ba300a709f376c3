"""Certificates of a private CA, trusted in addition to the system's."""

import pytest

from support.rendering import RenderError, at, container, default, pod, render


@pytest.mark.parametrize(
    ("kind", "source"),
    [("configMap", {"name": "private-ca"}), ("secret", {"secretName": "private-ca"})],
)
def test_certificates_of_a_private_ca_are_mounted_to_be_read(kind: str, source: dict[str, str]) -> None:
    bundle = at("chat.caBundle", {kind: "private-ca", "key": "root.pem"})
    (file,) = [each["value"] for each in container(bundle)["env"] if each["name"] == "KAITO_CHAT_CA_FILE"]
    (mount,) = [each for each in container(bundle)["volumeMounts"] if each["name"] == "ca"]
    assert mount["readOnly"] is True
    (volume,) = [each for each in pod(bundle)["spec"]["volumes"] if each["name"] == "ca"]
    assert volume[kind] == source | {
        "items": [{"key": "root.pem", "path": file.removeprefix(mount["mountPath"] + "/")}]
    }


def test_without_a_private_ca_nothing_is_mounted() -> None:
    assert "ca" not in {each["name"] for each in pod()["spec"]["volumes"]}
    assert "KAITO_CHAT_CA_FILE" not in {each["name"] for each in container()["env"]}


def test_certificates_come_from_one_place() -> None:
    with pytest.raises(RenderError, match=r"chat\.caBundle\.configMap and chat\.caBundle\.secret are both set"):
        render(default(at("chat.caBundle", {"configMap": "one", "secret": "other"})))
