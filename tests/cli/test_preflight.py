"""`aks-kaito preflight` as a whole, against a fake of Azure and a stand-in for az."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from aks_kaito import __version__
from aks_kaito_cli.groups import operations
from aks_kaito_cli.preflight import run as preflight
from support import ready_subscription as ready
from support.fake_azure import FakeAzure, Reply, Request, error, running
from support.fake_dns import running as running_dns
from support.preflights import DEV, PROD, context, written
from support.project import OWN_ID
from support.stand_ins import Ran, environment, prepare, run

BLOCKED = f"the deployment fails: quota {OWN_ID}"


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[FakeAzure]:
    with running() as fake:
        ready.prepare(fake, written(tmp_path))
        yield fake


def checked(folder: Path, fake: FakeAzure, *options: str, text: str = DEV, **more: Any) -> Ran:
    """Run the command for `dev`, with the fake in place of Azure."""
    variables = {**environment(folder, text), "AKS_KAITO_ARM_ENDPOINT": fake.endpoint, "COLUMNS": "120"}
    answers = {"account show": OWN_ID, **more.pop("answers", {})}
    return run(folder, "preflight", "dev", *options, variables=variables, answers=answers, **more)


def test_a_ready_subscription_is_fine(azure: FakeAzure, tmp_path: Path) -> None:
    ran = checked(tmp_path, azure)
    assert (ran.done.returncode, ran.done.stderr) == (0, "")
    assert "Kaito development" in ran.done.stdout
    assert "ada@kaito.dev" in ran.done.stdout
    # The shipped prefix.
    assert "1 warning: nothing that was checked stops a deployment of dev.\n" in ran.done.stdout
    assert ran.done.stdout.endswith(f"Next: make deploy ENV=dev TAG={__version__}\n")
    # az gives one token, and the subscription that it has selected; beside that, programs are asked for their versions.
    assert sorted(" ".join(line.split()[:3]) for line in ran.lines if not line.startswith("helm")) == [
        "az account get-access-token",
        "az account show",
        "az version",
        "kubelogin --version",
        "terraform version -json",
    ]


def test_a_blocker_is_named_with_its_remedy(azure: FakeAzure, tmp_path: Path) -> None:
    azure.listed(ready.USAGES, *ready.usages(ready.usage(ready.A10, 0, 0)))
    ran = checked(tmp_path, azure)
    assert ran.done.returncode == 1
    assert (
        "1 blocker, 1 warning: a deployment of dev would fail.\nNext: az quota update --resource-name"
        in ran.done.stdout
    )
    assert "blocker: Standard NVADSA10v5 Family vCPUs: az quota update" in ran.done.stdout


def test_json_has_every_finding(azure: FakeAzure, tmp_path: Path) -> None:
    ran = checked(tmp_path, azure, "--json")
    found = json.loads(ran.done.stdout)
    assert (ran.done.returncode, found["exit_status"], found["environment"]) == (0, 0, "dev")
    groups = list(dict.fromkeys(each["group"] for each in found["findings"]))
    positions = [groups.index(name) for name in ("Subscription", "Permissions", "Policies", "Registrations", "Quota")]
    assert positions == sorted(positions)


def test_what_azure_forbids_is_undecided(azure: FakeAzure, tmp_path: Path) -> None:
    azure.answer(ready.PERMISSIONS, error(403, "AuthorizationFailed", "no rights"))
    ran = checked(tmp_path, azure)
    assert ran.done.returncode == 3
    assert "a deployment of dev may fail." in ran.done.stdout
    assert "AuthorizationFailed" in ran.done.stdout


def test_a_broken_connection_is_undecided(azure: FakeAzure, tmp_path: Path) -> None:
    azure.answers.clear()
    for answer in (
        error(503, "ServiceUnavailable", Retry_After="600"),
        error(429, "TooManyRequests", Retry_After="600"),
    ):
        azure.answer(ready.SCOPE, answer)
        assert checked(tmp_path, azure).done.returncode == 3


@pytest.mark.parametrize("fails", ["account get-access-token", "account show"])
def test_without_a_sign_in_nothing_is_checked(fails: str, azure: FakeAzure, tmp_path: Path) -> None:
    ran = checked(tmp_path, azure, fails=fails)
    assert (ran.done.returncode, azure.requests) == (2, [])
    assert ran.done.stdout.endswith("Next: az login\n")
    assert "Traceback" not in ran.done.stderr
    found = json.loads(checked(tmp_path, azure, "--json", fails=fails).done.stdout)
    assert (found["exit_status"], found["findings"]) == (2, [])


def test_a_bad_file_is_unusable(azure: FakeAzure, tmp_path: Path) -> None:
    ran = checked(tmp_path, azure, text=DEV.replace("westeurope", "moon"))
    assert (ran.done.returncode, ran.done.stdout, azure.requests) == (2, "", [])
    assert "location" in ran.done.stderr


def test_an_endpoint_without_encryption_is_unusable(azure: FakeAzure, tmp_path: Path) -> None:
    azure.endpoint = "http://arm.kaito.dev"
    ran = checked(tmp_path, azure)
    assert (ran.done.returncode, "must begin with https://" in ran.done.stdout) == (2, True)


def test_the_chosen_subscription_is_asked(azure: FakeAzure, tmp_path: Path) -> None:
    ran = checked(tmp_path, azure, text=f'subscription_id = "{OWN_ID}"\n{DEV}', answers={"account show": "another"})
    # Names contain a hash of the file's subscription.
    assert ran.done.returncode == 0, ran.done.stdout
    assert not [line for line in ran.lines if "account show" in line]
    assert azure.asked(f"/subscriptions/{OWN_ID}")


def test_offline_azure_is_not_asked(azure: FakeAzure, tmp_path: Path) -> None:
    ran = checked(tmp_path, azure, "--offline")
    assert (ran.lines, azure.requests) == ([], [])
    assert "Azure was not asked." in ran.done.stdout


def depth(asked: list[tuple[float, float]]) -> int:
    """Return the largest number of requests of which each began after the end of the one before."""
    number, free = 0, 0.0
    for began, ended in sorted(asked, key=lambda each: each[1]):
        if began >= free:
            number, free = number + 1, ended
    return number


def test_checks_run_side_by_side(azure: FakeAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PROD + '[openai]\nenabled = true\n[openai.deployments.a]\nmodel = "gpt-4o"\nversion = "2024-11-20"\n'
    dear = written(tmp_path, text, "prod")
    ready.prepare(azure, dear)
    azure.seconds = 0.3
    asked: list[tuple[float, float]] = []
    reply = azure.reply

    def timed(request: Request) -> Reply:
        began = time.monotonic()
        answer = reply(request)
        asked.append((began, time.monotonic()))
        return answer

    monkeypatch.setattr(azure, "reply", timed)
    with running_dns() as public:
        for name, value in {**prepare(tmp_path), "AKS_KAITO_DNS_SERVER": public.address}.items():
            monkeypatch.setenv(name, value)
        read = replace(context(azure, dear), variables=os.environ)
        monkeypatch.setattr(preflight, "_context", lambda *_: read)
        answer = preflight.answer(dear, {})
        assert [each for each in answer.findings if each.state in {"blocker", "unknown"}] == []
    # Six answers one after the other leave more than a second of the three for the rest.
    assert depth(asked) <= 6
    assert len(azure.requests) > 30
    assert azure.most_at_once > 10


def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(operations, "_PACKAGES", ("requests", "nobody", "nobody.has.this"))
    with pytest.raises(typer.Exit) as raised:
        operations.require()
    assert raised.value.exit_code == 2
    missing = "which is not installed (nobody, nobody.has.this): make operations\n"
    assert capsys.readouterr().err == f"this subcommand needs the extra `operations`, {missing}"
    monkeypatch.undo()
    operations.require()


def test_synthesis_and_help_do_without_the_extra() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "aks_kaito_cli", "preflight", "--help"]
    imported = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=os.environ).stderr
    names = {line.rpartition("|")[2].strip() for line in imported.splitlines()}
    assert "aks_kaito_cli.groups.preflight" in names
    assert not {"azure.core", "azure.identity", "dns", "hcl2"} & names
