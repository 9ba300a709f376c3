"""The locks of providers: written for four platforms, placed by a synthesis, and obeyed by the real Terraform."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aks_kaito import state
from aks_kaito.settings import Environment
from aks_kaito.stacks.synthesis import copy_locks
from aks_kaito_cli.commands.terraform import PLATFORMS
from support.command_lines import Document, mirror
from support.needs import needs_program
from support.project import ROOT

LOCAL = {"terraform": {"backend": {"local": {"path": "state.tfstate"}}}}


def mirror_of_all_platforms(documents: dict[str, Document], folder: Path) -> dict[str, str]:
    """Write stubs of the providers for each platform; return the variables with which Terraform finds them."""
    found = mirror(documents, folder)
    for own in list((folder / "mirror").glob("*/*/*/*/*")):
        for platform in PLATFORMS:
            there = own.with_name(platform)
            if there != own:
                shutil.copytree(own, there)
            (there / "platform").write_text(platform, encoding="utf-8")
    return {**os.environ, **found, "TF_IN_AUTOMATION": "1"}


def test_terraform_takes_the_locked_packages_only(
    environments: dict[str, Environment],
    stacks: dict[str, Document],
    workloads: dict[str, Document],
    tmp_path: Path,
) -> None:
    terraform = needs_program("terraform", package="terraform")
    variables = mirror_of_all_platforms({"platform": stacks["dev"], "workloads": workloads["dev"]}, tmp_path / "stubs")
    locks = tmp_path / "locks"
    command = [sys.executable, str(ROOT / "tools" / "provider_locks.py"), str(locks)]
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert {path.name for path in locks.iterdir()} == {state.provider_lock(part) for part in state.PARTS}
    for part, document in (("platform", stacks["dev"]), ("workloads", workloads["dev"])):
        text = (locks / f"{part}.terraform.lock.hcl").read_text(encoding="utf-8")
        wanted = {each["version"] for each in document["terraform"]["required_providers"].values()}
        assert set(re.findall(r'^  version +=.*"(.+)"', text, re.MULTILINE)) == wanted
        assert set(re.findall(r'^  constraints = "(.+)"', text, re.MULTILINE)) == wanted
        assert text.count('"h1:') == len(PLATFORMS) * len(wanted)

    # A synthesis places them, and they need no change.
    out = tmp_path / "stacks"
    place = out / state.stack(environments["dev"], "platform")
    place.mkdir(parents=True)
    (out / state.stack(environments["dev"], "workloads")).mkdir()
    copy_locks([environments["dev"]], locks, out)
    (place / "cdk.tf.json").write_text(json.dumps({**stacks["dev"]}), encoding="utf-8")
    (place / "override.tf.json").write_text(json.dumps(LOCAL), encoding="utf-8")
    init = [terraform, "init", "-input=false", "-no-color"]
    variables["TF_CLI_ARGS_init"] = "-lockfile=readonly"
    before = (place / ".terraform.lock.hcl").read_bytes()
    ran = subprocess.run(init, cwd=place, env=variables, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (place / ".terraform.lock.hcl").read_bytes() == before

    # Another package of the same version.
    shutil.rmtree(place / ".terraform")
    for package in (tmp_path / "stubs" / "mirror").glob("*/azure/azapi/*/*"):
        (package / "added").write_text("another", encoding="utf-8")
    ran = subprocess.run(init, cwd=place, env=variables, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 1
    assert "any of the checksums" in " ".join(ran.stderr.split())


def test_without_a_terraform_the_locks_say_so(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "provider_locks.py"), str(tmp_path)]
    variables = {**os.environ, "TERRAFORM_BINARY_NAME": "no-terraform"}
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=120)
    assert (ran.returncode, ran.stderr) == (2, "no-terraform is not installed\n")


def test_every_environment_has_the_providers_of_the_locks(
    stacks: dict[str, Document], workloads: dict[str, Document]
) -> None:
    for documents in (stacks, workloads):
        wanted = documents["dev"]["terraform"]["required_providers"]
        for name, document in documents.items():
            assert document["terraform"]["required_providers"] == wanted, name
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", each["version"]) for each in wanted.values())


@pytest.mark.parametrize("part", state.PARTS)
def test_a_lock_in_the_repository_has_every_platform(part: state.Part, stacks: Any, workloads: Any) -> None:
    path = ROOT / "locks" / state.provider_lock(part)
    if path.exists():
        document = {"platform": stacks, "workloads": workloads}[part]["dev"]
        wanted = [each["version"] for each in document["terraform"]["required_providers"].values()]
        text = path.read_text(encoding="utf-8")
        assert sorted(re.findall(r'^  version +=.*"(.+)"', text, re.MULTILINE)) == sorted(wanted)
        assert text.count('"h1:') == len(PLATFORMS) * len(wanted)
