"""`aks-kaito doctor`: the findings on machines that lack something."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from aks_kaito_cli.doctor import checks
from aks_kaito_cli.doctor.checks import Finding
from aks_kaito_cli.doctor.needs import COMMANDS
from support.needs import needs_make
from support.project import ROOT


def machine(folder: Path, programs: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a machine that has these programs, each with the shell line that it runs."""
    for name, line in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


WHOLE = {
    "az": 'echo \'{"azure-cli": "2.77.0"}\'',
    "git": "echo git version 2.39.5",
    "kubelogin": "echo 'git hash: v0.2.10/abc'",
    "make": "echo GNU Make 4.3",
    "terraform": 'echo \'{"terraform_version": "1.11.4"}\'',
}


def found(folder: Path, programs: Mapping[str, str], command: str = "deploy", **variables: str) -> dict[str, Finding]:
    """Return the findings for one command, by need."""
    all_found = checks.findings((command,), machine(folder, programs) | variables, ROOT)
    return {finding.need: finding for finding in all_found}


def test_a_whole_machine_lacks_nothing(tmp_path: Path) -> None:
    result = found(tmp_path, WHOLE)
    assert {need: finding.detail for need, finding in result.items() if need in WHOLE} == {
        "az": "2.77.0",
        "kubelogin": "0.2.10",
        "make": "4.3",
        "terraform": "1.11.4",
    }
    assert checks.missing(list(result.values())) == []


@pytest.mark.parametrize(
    ("programs", "need", "detail", "remedy"),
    [
        ({"az": None}, "az", "not on the PATH", "Install az: package: azure-cli"),
        ({"terraform": "echo Terraform v1.6.6"}, "terraform", "1.6.6", "Upgrade terraform to 1.7 or newer"),
        ({"terraform": "echo broken >&2; exit 1"}, "terraform", "exits with 1: broken", "Install terraform"),
        ({"kubelogin": "#"}, "kubelogin", "unknown version", ""),
    ],
)
def test_programs_are_found_run_and_compared(
    tmp_path: Path, programs: dict[str, str | None], need: str, detail: str, remedy: str
) -> None:
    merged = {name: line for name, line in {**WHOLE, **programs}.items() if line is not None}
    finding = found(tmp_path, merged)[need]
    assert finding.detail == detail
    assert finding.remedy.startswith(remedy)
    assert (finding.state == "missing") == bool(remedy)


def test_a_variable_names_another_program(tmp_path: Path) -> None:
    tofu = {**WHOLE, "tofu": "echo OpenTofu v1.10.1"}
    assert found(tmp_path, tofu, TERRAFORM_BINARY_NAME="tofu")["tofu"].detail == "1.10.1"
    gone = found(tmp_path, WHOLE, TERRAFORM_BINARY_NAME="nowhere")["nowhere"]
    assert (gone.state, gone.remedy) == ("missing", "Correct TERRAFORM_BINARY_NAME=nowhere")


def test_programs_of_tests_are_optional(tmp_path: Path) -> None:
    assert found(tmp_path, WHOLE, "test")["nginx"].state == "optional"


def test_a_port_in_use_stops_the_chat(tmp_path: Path) -> None:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", 8000))
            listener.listen()
        except OSError:
            pass  # Another program listens there, which the check finds too.
        finding = found(tmp_path, WHOLE, "chat")["port 8000"]
    assert (finding.state, finding.remedy) == (
        "missing",
        "End the program on this port, or choose another: make chat PORT=8001",
    )


@pytest.mark.parametrize(
    ("excluded", "state", "remedy"),
    [
        ("", "missing", "Add 127.0.0.1,localhost to NO_PROXY"),
        ("localhost", "missing", "Add 127.0.0.1 to NO_PROXY"),
        ("localhost, 127.0.0.1,.corp", "ok", ""),
        ("*", "ok", ""),
    ],
)
def test_a_proxy_must_leave_this_machine_out(tmp_path: Path, excluded: str, state: str, remedy: str) -> None:
    finding = found(tmp_path, WHOLE, https_proxy="http://proxy:3128", no_proxy=excluded)["proxy"]
    assert (finding.state, finding.remedy) == (state, remedy)


def test_no_proxy_is_no_finding(tmp_path: Path) -> None:
    assert "proxy" not in found(tmp_path, WHOLE)


def test_certificates_that_do_not_exist_are_named(tmp_path: Path) -> None:
    finding = found(tmp_path, WHOLE, REQUESTS_CA_BUNDLE="/nowhere.pem")["certificates"]
    assert (finding.state, finding.detail) == ("missing", "REQUESTS_CA_BUNDLE=/nowhere.pem does not exist")


def test_a_fresh_checkout_needs_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 2**30})())
    (finding,) = [each for each in checks.findings(("deploy",), {}, tmp_path) if each.need == "disk"]
    assert (finding.state, finding.detail) == ("missing", f"1.0 GiB free in {tmp_path}")
    assert finding.remedy == "Free 3 GiB for what make installs"


def test_the_command_prints_a_table_or_json_and_its_status(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aks_kaito_cli", "doctor", "deploy"]
    variables = {**os.environ, **machine(tmp_path, {**WHOLE, "az": "exit 3"}), "COLUMNS": "100"}
    shown = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert shown.returncode == 1
    assert "az: exits with 3: . Install az: package: azure-cli" in shown.stdout
    assert "These commands lack something: deploy." in shown.stdout
    printed = subprocess.run(
        [*command, "--json"], env=variables, capture_output=True, text=True, check=False, timeout=60
    )
    states = {finding["need"]: finding["state"] for finding in json.loads(printed.stdout)}
    assert (printed.returncode, states["az"], states["terraform"]) == (1, "missing", "ok")


@pytest.mark.parametrize("command", ["deploy", "destroy", "release"])
def test_make_names_missing_programs_before_it_installs_anything(tmp_path: Path, command: str) -> None:
    make = needs_make()
    # As on a fresh checkout: the rules that install something would run.
    stale = [make[0], *(option.replace("--assume-old", "--what-if") for option in make[1:])]
    without_az = machine(tmp_path, {name: line for name, line in WHOLE.items() if name != "az"})
    for name in ("sh", "env", "touch"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    ran = subprocess.run(
        [*stale, command, "ENV=dev", "TAG=0.2.0", "CONFIRM=dev", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        env=without_az,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("az: not on the PATH. Install az: package: azure-cli")
    assert "Nothing was installed or changed." in ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize("need", ["node", "helm", "kubectl"])
def test_programs_that_make_installs_are_not_missing_where_it_does(
    need: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    variables = machine(tmp_path / "bin", WHOLE)

    def one() -> Finding:
        (each,) = [each for each in checks.findings(("deploy",), variables, tmp_path) if each.need == need]
        return each

    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert (one().state, one().detail) == ("ok", "make installs it")
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    if need != "node":  # its wheels are for every system
        assert (one().state, one().detail) == ("missing", "not on the PATH")
        assert one().remedy.startswith(f"Install {need}: package: {need}")
    installed = tmp_path / ".venv" / "bin"
    installed.mkdir(parents=True)
    machine(installed, {need: "echo v24.19.0"})
    assert (one().state, one().detail, one().path) == ("ok", "24.19.0", str(installed / need))


def test_every_program_has_the_name_of_a_package() -> None:
    programs = {program for needs in COMMANDS.values() for program in (*needs.programs, *needs.optional)}
    assert {program.name for program in programs} >= {
        *("make", "git", "node", "terraform", "helm", "kubectl", "az", "kubelogin", "docker")
    }
    assert [program.name for program in programs if not re.match(r"package: [a-z]", program.install)] == []


def test_a_python_without_its_modules_for_environments_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aks_kaito_cli.doctor.checks.find_spec", lambda name: None if name == "ensurepip" else name)
    finding = found(tmp_path, WHOLE)["Python"]
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert (finding.state, finding.remedy) == (
        "missing",
        f"Install the modules of virtual environments (package: {name})",
    )


@pytest.mark.parametrize("command", ["deploy", "destroy", "release"])
def test_make_names_the_package_of_python_before_it_installs_anything(tmp_path: Path, command: str) -> None:
    make = needs_make()
    stale = [make[0], *(option.replace("--assume-old", "--what-if") for option in make[1:])]
    for name in ("sh", "bash", "env", "touch"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    arguments = ["ENV=dev", "TAG=0.2.0", "CONFIRM=dev", "SHELL=/usr/bin/bash"]
    environment = {"PATH": str(tmp_path)}
    ran = subprocess.run(
        [*stale, command, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("No Python >=3.11,<3.14 on the PATH. Install one (package: python3.13")
    assert ran.stdout == ""


def test_every_command_of_the_makefile_that_installs_has_needs() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{name}:" in text for name in COMMANDS)
