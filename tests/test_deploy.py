"""Deploying and destroying, with an `az` and a CDK CLI that only note what they were asked, and fail when told to."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import ROOT

PROGRAM = """#!{python}
import json, os, sys
asked = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
variables = {{key: value for key, value in os.environ.items() if key.startswith("TF_VAR_") or key == "AKS_KAITO_ENV"}}
with open(os.environ["NOTED"], "a") as noted:
    noted.write(json.dumps([asked, variables]) + "\\n")
if os.environ.get("FAILS") and os.environ["FAILS"] in " ".join(asked):
    sys.exit(7)
if asked[1:2] == ["grafana"]:
    sys.exit(print("https://grafana.example.com"))
if "show" in asked:
    built = os.path.exists(os.environ["BUILT"])
    print("sha256:" + "a" * 64) if built else None
    sys.exit(0 if built else 3)
if asked[:3] == ["az", "acr", "build"]:
    open(os.environ["BUILT"], "w").close()
"""
DIGEST = "sha256:" + "a" * 64


class Ran(NamedTuple):
    """How a deployment ended, and what was asked of whom with which variables."""

    done: subprocess.CompletedProcess[str]
    asked: list[list[str]]
    variables: list[dict[str, str]]

    @property
    def steps(self) -> list[str]:
        """The first words of each command."""
        return [" ".join(each[:4]) for each in self.asked]


def deploy(folder: Path, *arguments: str, fails: str = "") -> Ran:
    """Run the tool."""
    noted = folder / "noted"
    noted.unlink(missing_ok=True)
    for name in ("az", "cdk", "probe"):
        (folder / name).write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
        (folder / name).chmod(0o755)
    variables = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "CDK_CLI": "cdk",
        "CHAT_PROBE": "probe",
        "NOTED": str(noted),
        "BUILT": str(folder / "built"),
        "FAILS": fails,
    }
    command = [sys.executable, str(ROOT / "tools" / "deploy.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=variables)
    lines = [json.loads(line) for line in noted.read_text().splitlines()] if noted.exists() else []
    return Ran(done, [asked for asked, _ in lines], [variables for _, variables in lines])


def test_everything_in_its_order(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "dev", "0.2.0")
    assert ran.done.returncode == 0, ran.done.stderr
    assert ran.steps == [
        "cdk deploy kaito-dev-platform --auto-approve",
        "az acr repository show",
        "az acr build --registry",
        "az acr repository show",
        "cdk deploy kaito-dev-workloads --auto-approve",
        "az grafana show --name",
    ]
    assert ran.variables[-2] == {
        "AKS_KAITO_ENV": "dev",
        "TF_VAR_chat_image_tag": "0.2.0",
        "TF_VAR_chat_image_digest": DIGEST,
    }
    assert "port-forward service/kaito-chat" in ran.done.stdout
    assert "https://grafana.example.com" in ran.done.stdout


def test_what_is_published_gets_a_message_through(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "sample", "0.2.0")
    assert ran.done.returncode == 0, ran.done.stderr
    probe = next(asked for asked in ran.asked if asked[0] == "probe")
    assert probe[1] == "--chat"
    assert f"Chat:    {probe[2]}" in ran.done.stdout
    failed = deploy(tmp_path, "up", "sample", "0.2.0", fails="probe")
    assert failed.done.returncode == 1
    assert "one message" in failed.done.stderr


def test_an_image_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    deploy(tmp_path, "up", "dev", "0.2.0")
    again = deploy(tmp_path, "up", "dev", "0.2.0")
    assert "az acr build --registry" not in again.steps
    assert again.variables[-2]["TF_VAR_chat_image_digest"] == DIGEST


@pytest.mark.parametrize("fails", ["kaito-dev-platform", "acr build", "kaito-dev-workloads"])
def test_the_first_failure_ends_it_and_it_goes_on_from_there(tmp_path: Path, fails: str) -> None:
    failed = deploy(tmp_path, "up", "dev", "0.2.0", fails=fails)
    assert failed.done.returncode == 1
    assert fails in " ".join(failed.asked[-1])
    assert "ended with exit status 7" in failed.done.stderr
    assert "make deploy ENV=dev TAG=0.2.0" in failed.done.stderr
    assert "Traceback" not in failed.done.stderr
    assert deploy(tmp_path, "up", "dev", "0.2.0").done.returncode == 0


def test_a_private_environment_goes_on_inside_its_network(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "prod", "0.2.0")
    assert ran.done.returncode == 3
    assert ran.steps == ["cdk deploy kaito-prod-platform --auto-approve"]
    assert "make deploy ENV=prod TAG=0.2.0" in ran.done.stderr
    assert "jump box" in ran.done.stderr


def test_the_workloads_go_first(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "down", "dev", "0.2.0")
    assert ran.steps == [
        "cdk destroy kaito-dev-workloads --auto-approve",
        "cdk destroy kaito-dev-platform --auto-approve",
    ]
    failed = deploy(tmp_path, "down", "dev", "0.2.0", fails="workloads")
    assert (failed.done.returncode, len(failed.asked)) == (1, 1)
    assert "make destroy ENV=dev" in failed.done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "usage: make deploy"),
        (("sideways", "dev", "0.2.0"), "usage: make deploy"),
        (("up", "dev", "a b"), "TAG='a b'"),
        (("up", "nowhere", "0.2.0"), "nowhere.toml"),
    ],
)
def test_what_cannot_be_begun_is_refused(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ran = deploy(tmp_path, *arguments)
    assert (ran.done.returncode, ran.asked) == (2, [])
    assert words in ran.done.stderr
