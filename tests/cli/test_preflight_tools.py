"""Programs of this machine against the oldest versions that work, and the time that the sign-in lasts."""

import base64
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.preflight import tools
from support.fake_azure import Credential, FakeAzure
from support.preflight_checks import context, found

WHOLE = {
    "az": 'echo \'{"azure-cli": "2.77.0"}\'',
    "helm": "echo v4.1.0+gabc",
    "kubelogin": "echo 'git hash: v0.2.10/abc'",
    "terraform": 'echo \'{"terraform_version": "1.11.4"}\'',
}
PRIVATE = {"cluster": ["private_cluster_enabled = true"], "bastion": ["enabled = true"], "jump_box": ["enabled = true"]}


@pytest.fixture(autouse=True)
def no_helm_beside_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make installs a helm beside this Python."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))


def token(**claims: Any) -> str:
    """Return a token with claims, in the form of Entra ID's."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.signature"


def checked(
    folder: Path,
    programs: dict[str, str] | None = None,
    edits: dict[str, list[str]] | None = None,
    credential: Credential | None = None,
    variables: Mapping[str, str] | None = None,
) -> dict[str, Finding]:
    for name, line in (WHOLE | (programs or {})).items():
        if line:
            (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
    azure = FakeAzure()
    azure.endpoint = "http://127.0.0.1:9"
    read = context(
        folder, azure, edits, {"PATH": f"{folder}:/bin:/usr/bin", **(variables or {})}, credential=credential
    )
    return found(tools.checks(read))


def test_a_whole_machine_is_fine(tmp_path: Path) -> None:
    result = checked(tmp_path)
    assert {subject: (each.state, each.detail) for subject, each in result.items() if subject != "sign-in"} == {
        "az": ("ok", "2.77.0, at least 2.60 needed"),
        "terraform": ("ok", "1.11.4, at least 1.7 needed"),
        "kubelogin": ("ok", "0.2.10"),
        "helm": ("ok", "4.1.0, at least 3.8 needed"),
    }


@pytest.mark.parametrize(
    ("programs", "subject", "state", "detail", "remedy"),
    [
        ({"az": 'echo \'{"azure-cli": "2.59.0"}\''}, "az", "blocker", "2.59.0", "Upgrade az to 2.60 or newer"),
        ({"helm": "echo v3.7.2"}, "helm", "blocker", "3.7.2", "Upgrade helm to 3.8 or newer"),
        ({"terraform": "echo Terraform v1.6.6"}, "terraform", "blocker", "1.6.6", "Upgrade terraform to 1.7"),
        ({"kubelogin": ""}, "kubelogin", "blocker", "not on the PATH", "Install kubelogin"),
        ({"terraform": "echo broken >&2; exit 1"}, "terraform", "blocker", "exits with 1: broken", "Install terraform"),
        ({"kubelogin": "true"}, "kubelogin", "unknown", "kubelogin does not tell its version", "kubelogin --version"),
        ({"az": "echo {}"}, "az", "unknown", "az does not tell its version", "az version"),
    ],
)
def test_a_program_is_missing_too_old_or_odd(
    tmp_path: Path, programs: dict[str, str], subject: str, state: str, detail: str, remedy: str
) -> None:
    result = checked(tmp_path, programs)
    assert (result[subject].state, result[subject].detail) == (state, detail)
    assert remedy in result[subject].remedy
    assert [each.state for name, each in result.items() if name != subject] == ["ok"] * 4


def test_the_helm_that_make_installs_comes_first(tmp_path: Path) -> None:
    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "helm").write_text("#!/bin/sh\necho v3.17.0\n", encoding="utf-8")
    (folder / "helm").chmod(0o755)
    assert checked(tmp_path)["helm"].detail == "3.17.0, at least 3.8 needed"
    chosen = tmp_path / "helm4"
    chosen.write_text("#!/bin/sh\necho v4.0.1\n", encoding="utf-8")
    chosen.chmod(0o755)
    assert checked(tmp_path, variables={"HELM_BIN": str(chosen)})["helm"].detail == "4.0.1, at least 3.8 needed"


def test_a_private_environment_needs_some_programs_inside_only(tmp_path: Path) -> None:
    result = checked(tmp_path, {"kubelogin": "", "helm": "", "terraform": ""}, PRIVATE)
    assert {name: result[name].state for name in ("kubelogin", "helm", "terraform")} == {
        "kubelogin": "info",
        "helm": "info",
        "terraform": "blocker",
    }
    assert result["helm"].detail == "not on the PATH; needed inside the private network only"


FEDERATED = token(appidacr="2", idtyp="app")
OIDC = {"ARM_USE_OIDC": "true"}


@pytest.mark.parametrize(
    ("claims", "variables", "minutes", "state", "text"),
    [
        (token(idtyp="user", appidacr="0"), {}, 5, "ok", "in 5 minutes, and is renewed"),
        ("no-token-of-entra", {}, 5, "ok", "and is renewed"),
        (token(appidacr="1"), {}, 5, "ok", "and is renewed"),
        (FEDERATED, {}, 61, "ok", "later than a deployment of an hour"),
        (FEDERATED, {}, 59, "warning", "and az cannot renew a sign-in with a federated token"),
        (token(appidacr="2", xms_mirid="/subscriptions/x/identity"), {}, 5, "ok", "and is renewed"),
        (FEDERATED, OIDC | {"ARM_OIDC_TOKEN": "x"}, 59, "warning", "and nobody renews ARM_OIDC_TOKEN"),
        (FEDERATED, OIDC | {"ARM_OIDC_REQUEST_URL": "https://x"}, 5, "ok", "and is renewed"),
        (FEDERATED, OIDC | {"ARM_OIDC_TOKEN": "x", "ARM_CLIENT_SECRET": "x"}, 5, "ok", "and is renewed"),
        (FEDERATED, {"ARM_USE_MSI": "true"}, 5, "ok", "and is renewed"),
        (FEDERATED, {"ARM_USE_AKS_WORKLOAD_IDENTITY": "1"}, 5, "ok", "and is renewed"),
        (FEDERATED, {"ARM_CLIENT_SECRET": "x"}, 5, "ok", "and is renewed"),
        (FEDERATED, {}, -3, "warning", "in 0 minutes"),
    ],
)
def test_a_sign_in_outlasts_a_deployment_or_is_renewed(
    tmp_path: Path, claims: str, variables: dict[str, str], minutes: int, state: str, text: str
) -> None:
    credential = Credential(claims, seconds=minutes * 60 + 20)
    result = checked(tmp_path, credential=credential, variables=variables)["sign-in"]
    assert result.state == state
    assert text in result.detail
    assert time.strftime("%H:%M UTC", time.gmtime(credential.expires_on)) in result.detail
    assert bool(result.remedy) is (state == "warning")
    assert "hf_" not in result.detail
    assert claims not in str(result)


@pytest.mark.parametrize("odd", ["", "a.b", "a..c", f"a.{base64.urlsafe_b64encode(b'[1]').decode()}.c", "a.\u00e4.c"])
def test_a_token_of_another_form_has_no_claims(tmp_path: Path, odd: str) -> None:
    assert checked(tmp_path, credential=Credential(odd, seconds=60))["sign-in"].state == "ok"
