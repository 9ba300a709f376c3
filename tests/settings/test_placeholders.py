"""Placeholders, which warn at synthesis, and a public chat without sign-in, which is refused."""

from pathlib import Path

import pytest

from aks_kaito.settings import load
from aks_kaito.settings.rules import placeholders
from support.environment_files import DEV, OPEN, changed, problems, written
from support.project import ENVIRONMENTS, SSH_KEY, TODAY


def test_a_public_chat_without_sign_in_is_refused(tmp_path: Path) -> None:
    for mode in ("nginx", "gateway", "webapprouting"):
        text = changed("ingress", f'mode = "{mode}"', 'hostname = "chat.kaito.dev"')
        (message,) = problems(written(tmp_path, text)).values()
        assert 'ingress.hostname = "chat.kaito.dev": publishes the chat to everyone without sign-in' in message
        assert "chat.public_without_sign_in = true" in message
        assert load(written(tmp_path, text + OPEN), TODAY).settings.chat.public_without_sign_in
    # Without a host name, nothing is public.
    assert load(written(tmp_path, changed("ingress", 'mode = "gateway"')), TODAY)
    client = 'entra_client_id = "8c5ba1d6-6e2f-4b0e-9d57-0e8f2f4b7a10"'
    text = changed("ingress", 'hostname = "chat.kaito.dev"') + f'\n[chat]\nsign_in = "entra"\n{client}\n'
    assert load(written(tmp_path, text), TODAY).warnings == ()


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("cluster.ssh_public_key", f'"{SSH_KEY}"', f'"ssh-rsa {placeholders.EXAMPLE_KEY} me@laptop"'),
        ("subscription_id", 'prefix = "kaito"', 'prefix = "kaito"\nsubscription_id = "{id}"'),
        ("cluster.admin_group_object_ids", "[cluster]", '[cluster]\nadmin_group_object_ids = ["{id}"]'),
        (
            "key_vault.secrets_officer_object_ids",
            "[model]",
            '[key_vault.secrets_officer_object_ids]\na = "{id}"\n[model]',
        ),
        (
            "monitoring.grafana_admin_object_ids",
            "[model]",
            '[monitoring.grafana_admin_object_ids]\na = "{id}"\n[model]',
        ),
    ],
)
@pytest.mark.parametrize(
    "example",
    [
        "11111111-2222-3333-4444-555555555555",
        "aaaaaaaa-0000-4000-8000-000000000001",
        "00000000-0000-0000-0000-000000000000",
        "00000000-0000-0000-0000-000000000001",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "AAAAAAAA-0000-1111-2222-BBBBBBBBBBBB",
        "12345678-1234-1234-1234-123456789012",
        "12345678-1234-1234-1234-123456789abc",
    ],
)
def test_placeholders_warn(key: str, old: str, new: str, example: str, tmp_path: Path) -> None:
    (warning,) = load(written(tmp_path, DEV.replace(old, new.replace("{id}", example))), TODAY).warnings
    assert warning.partition(": ")[2].startswith(f"{key} = ")
    assert " is an example " in warning or "is the example key" in warning
    real = "8c5ba1d6-6e2f-4b0e-9d57-0e8f2f4b7a10"
    if "{id}" in new:
        assert load(written(tmp_path, DEV.replace(old, new.replace("{id}", real))), TODAY).warnings == ()


@pytest.mark.parametrize(
    ("host", "example"),
    [
        ("chat.contoso.com", True),
        ("contoso.com", True),
        ("chat.example.org", True),
        ("chat.babosbird.com", True),
        ("chat.contoso.org", True),
        ("chat.fabrikam.com", True),
        ("chat.kaito.example", True),
        ("chat.kaito.test", True),
        ("chat.kaito.invalid", True),
        ("chat.localhost", True),
        ("chat.notcontoso.com", False),
        ("contoso.com.mycompany.de", False),
        ("test.mycompany.de", False),
        ("chat.mytest", False),
    ],
)
def test_example_hosts_warn(host: str, example: bool, tmp_path: Path) -> None:  # noqa: FBT001 (a case's expectation)
    warnings = load(written(tmp_path, changed("ingress", f'hostname = "{host}"') + OPEN), TODAY).warnings
    assert [f'ingress.hostname = "{host}": is an example domain' in each for each in warnings] == [True] * example


@pytest.mark.parametrize(
    ("address", "example"),
    [
        ("me@contoso.com", True),
        ("me@mail.Example.org", True),
        ("me@kaito.test", True),
        ("contoso.com@kaito.dev", False),
    ],
)
def test_example_addresses_warn(address: str, example: bool, tmp_path: Path) -> None:  # noqa: FBT001 (a case's expectation)
    text = changed("ingress", 'hostname = "chat.kaito.dev"', f'email = "{address}"') + OPEN
    alerts = f'[monitoring.alert_email_addresses]\na = "{address}"\n'
    warnings = load(written(tmp_path, f"{text}{alerts}"), TODAY).warnings
    keys = ["ingress.email", "monitoring.alert_email_addresses.a"]
    assert [each.partition(": ")[2] for each in warnings] == [
        f'{key} = "{address}": is an example domain: use your own' for key in keys if example
    ]


def test_every_shipped_placeholder_is_found() -> None:
    shipped = {path.stem: load(path, TODAY).settings for path in ENVIRONMENTS}
    found = {name: {each.key for each in placeholders.found(settings)} for name, settings in shipped.items()}
    assert found == {
        "dev": {"cluster.ssh_public_key"},
        "prod": {"cluster.ssh_public_key", "chat.entra_client_id", "ingress.hostname"},
        "sample": {
            "cluster.ssh_public_key",
            "cluster.admin_group_object_ids",
            "ingress.hostname",
            "ingress.dns_zone_name",
            "monitoring.grafana_admin_object_ids",
        },
    }
