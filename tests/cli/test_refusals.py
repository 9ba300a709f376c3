"""Checks before a deployment, a destruction or a release."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from aks_kaito_cli import pages
from support import forked
from support.needs import needs_make
from support.project import ROOT
from support.stand_ins import DEV, NAMES, environment, prepare, run, without_placeholders


@pytest.mark.parametrize("program", ["az", "kubectl", "kubelogin", "terraform"])
def test_a_missing_program_is_named_before_anything_is_done(tmp_path: Path, program: str) -> None:
    for name in NAMES:
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / program).unlink()
    variables = {**os.environ, **without_placeholders(tmp_path), "PATH": str(tmp_path)}
    ran = forked.run(["deploy", "dev", "0.2.0"], variables, seconds=60)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"{program} is not installed: {pages.REQUIREMENTS}\n"


def test_placeholders_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    prod = (ROOT / "environments" / "prod.toml").read_text(encoding="utf-8")
    ran = run(tmp_path, "deploy", "prod", "0.2.0", variables=environment(tmp_path, prod, "prod"))
    assert (ran.done.returncode, ran.asked) == (2, [])
    lines = ran.done.stderr.splitlines()
    assert [re.sub(r"^.*/environments/", "", line).partition(" = ")[0] for line in lines] == [
        "prod.toml: cluster.ssh_public_key",
        "prod.toml: ingress.hostname",
        "prod.toml: chat.entra_client_id",
    ]
    # Existing resources can be destroyed.
    destroyed = run(tmp_path, "destroy", "prod", "prod", variables=environment(tmp_path, prod, "prod"))
    assert "placeholder" not in destroyed.done.stderr
    assert destroyed.asked


@pytest.mark.parametrize("variable", ["CDK_CLI", "CHAT_PROBE"])
def test_a_variable_that_is_no_command_is_refused(tmp_path: Path, variable: str) -> None:
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables={variable: "'x"})
    assert (ran.done.returncode, ran.asked) == (2, [])
    assert ran.done.stderr == f"""{variable}="'x": must be a command: No closing quotation\n"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("deploy", "dev", "a b"), "TAG='a b'"),
        (("deploy", "dev", ""), "TAG=''"),
        (("deploy", "nowhere", "0.2.0"), 'ENV = "nowhere": must be one of: dev, prod, sample'),
        (("destroy", "dev", ""), "CONFIRM='': must be 'dev'"),
        (("destroy", "dev", "prod"), "CONFIRM='prod'"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ran = run(tmp_path, *arguments)
    assert (ran.done.returncode, ran.asked) == (2, [])
    assert words in ran.done.stderr


@pytest.mark.parametrize("name", ["", "..", "../dev", "../../etc/passwd", "./dev", "dev.toml", "DEV", "dév", "dev/"])
@pytest.mark.parametrize("rest", [("deploy", "0.2.0"), ("destroy", ""), ("release", "0.2.0")], ids=lambda rest: rest[0])
def test_a_name_that_no_file_in_the_folder_has_is_refused(tmp_path: Path, name: str, rest: tuple[str, str]) -> None:
    # A file that a path would reach, beside the folder.
    (tmp_path / "dev.toml").write_text(DEV, encoding="utf-8")
    subcommand, argument = rest
    ran = run(tmp_path, subcommand, name, argument or name, variables=environment(tmp_path, DEV))
    assert (ran.done.returncode, ran.asked, ran.done.stdout) == (2, [], "")
    shown = name.replace("é", "\\xe9")
    assert f'ENV = "{shown}": must be one of: dev\n' in ran.done.stderr


def test_two_environments_with_one_registry_name_are_not_deployed(tmp_path: Path) -> None:
    variables = environment(tmp_path, DEV, "de-v") | environment(tmp_path, DEV)
    for name, other in (("dev", "de-v"), ("de-v", "dev")):
        ran = run(tmp_path, "deploy", name, "0.2.0", variables=variables)
        assert (ran.done.returncode, ran.asked) == (2, [])
        assert f"environment = \"{name}\": must differ from '{other}' by more than hyphens" in ran.done.stderr


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("deploy", "ENV=dev", "TAG=a b"), "TAG='a b'"),
        (("deploy", "ENV=nowhere", "TAG=0.2.0"), 'ENV = "nowhere": must be one of: dev, prod, sample'),
        (("synth", "ENV="), 'AKS_KAITO_ENV = "": must be one of: dev, prod, sample'),
        (("synth", "ENV=a b"), 'AKS_KAITO_ENV = "a b": must be one of: dev, prod, sample'),
        (("destroy", "ENV=dev"), "CONFIRM='': must be 'dev'"),
        # Not the command's own options.
        (("deploy", "ENV=dev", "TAG=--help"), "TAG='--help'"),
        (("destroy", "ENV=dev", "CONFIRM=--help"), "CONFIRM='--help': must be 'dev'"),
    ],
)
def test_make_passes_its_variables_on(tmp_path: Path, asked: tuple[str, ...], words: str) -> None:
    variables = prepare(tmp_path)
    variables = {key: value for key, value in variables.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    ran = subprocess.run(
        [*needs_make(), *asked], cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode == 2
    assert words in ran.stderr


@pytest.mark.parametrize("page", [text for name, text in vars(pages).items() if name.isupper()])
def test_messages_refer_to_pages_that_exist(page: str) -> None:
    path, _, heading = page.partition(", ")
    headings = [line.lstrip("#").strip() for line in (ROOT / path).read_text(encoding="utf-8").splitlines()]
    assert not heading or heading in headings
