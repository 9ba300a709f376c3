"""States of other environments, and states that are elsewhere, are refused before anything is changed."""

from pathlib import Path

import pytest

from support import states
from support.stand_ins import DEV, GROUP, Ran, environment, linked, run, starting
from support.states import SUBSCRIPTION

BLOB = '\n[state]\nbackend = "azurerm"\nresource_group_name = "rg-states"\nstorage_account_name = "ststates"\n'
PLATFORM, WORKLOADS = "kaito-dev-platform", "kaito-dev-workloads"
OTHER = "3d0cf2a4-9b1e-4c57-8f6d-52a7e0b9c113"
COMMANDS = [("deploy", "dev", "0.2.0"), ("destroy", "dev", "dev")]


def refused(ran: Ran) -> str:
    """Check that nothing was changed, and return the reason."""
    assert ran.done.returncode == 2
    assert not starting(ran, "cdk", "kubectl", "helm", "az acr build")
    assert "Traceback" not in ran.done.stderr
    return ran.done.stderr


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize(
    ("stack", "resource", "found"),
    [
        (PLATFORM, states.group("rg-other-dev-westeurope"), "rg-other-dev-westeurope"),
        (WORKLOADS, states.found_cluster("rg-other-dev-westeurope"), "rg-other-dev-westeurope"),
        (PLATFORM, states.group("rg-kaito-prod-westeurope"), "rg-kaito-prod-westeurope"),
        (PLATFORM, states.group("rg-kaito-dev-northeurope"), "rg-kaito-dev-northeurope"),
    ],
)
def test_a_state_of_another_environment_is_refused_with_both_names(
    tmp_path: Path, arguments: tuple[str, ...], stack: str, resource: dict[str, object], found: str
) -> None:
    states.write(tmp_path / "project", stack, resource)
    said = refused(run(tmp_path, *arguments))
    assert f"terraform.{stack}.tfstate is the state of resource group {found} in subscription {SUBSCRIPTION}" in said
    assert f"environments/dev.toml is resource group {GROUP}." in said
    assert "Undo the change of prefix, location or subscription" in said
    assert "docs/how-to/share-state.md, A state of another environment" in said


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize("stack", [PLATFORM, WORKLOADS])
def test_another_subscription_is_refused_even_with_the_same_names(
    tmp_path: Path, arguments: tuple[str, ...], stack: str
) -> None:
    resource = states.group(GROUP) if stack == PLATFORM else states.found_cluster(GROUP)
    states.write(tmp_path / "project", stack, resource)
    by_file = environment(tmp_path, f'subscription_id = "{OTHER}"\n{DEV}')
    for variables in (by_file, {"ARM_SUBSCRIPTION_ID": OTHER}):
        said = refused(run(tmp_path, *arguments, variables=variables))
        assert f"resource group {GROUP} in subscription {SUBSCRIPTION}; " in said
        assert f"resource group {GROUP} in subscription {OTHER}." in said


@pytest.mark.parametrize("variables", [{}, {"ARM_SUBSCRIPTION_ID": SUBSCRIPTION.upper()}])
def test_the_states_of_the_environment_are_accepted(tmp_path: Path, variables: dict[str, str]) -> None:
    states.write(tmp_path / "project", PLATFORM, states.group(GROUP.upper()))
    states.write(tmp_path / "project", WORKLOADS, states.found_cluster(GROUP))
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=variables)
    assert ran.done.returncode == 0, ran.done.stderr
    # The group is known, so Azure need not be asked for it.
    assert not starting(ran, "az group exists")


def test_resources_that_are_only_half_there_are_no_evidence(tmp_path: Path) -> None:
    half = {"mode": "managed", "type": "azurerm_resource_group", "name": "x", "instances": [{"attributes": None}]}
    states.write(tmp_path / "project", PLATFORM, half, states.resource("azurerm_resource_group", name=None, id=None))
    states.write(tmp_path / "project", WORKLOADS, states.resource("azurerm_kubernetes_cluster", "data"))
    assert run(tmp_path, "deploy", "dev", "0.2.0").done.returncode == 0


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize("text", ["{", "[]", "3", '{"resources": 3}', '{"version": 3, "modules": []}'])
def test_a_damaged_state_is_refused(tmp_path: Path, arguments: tuple[str, ...], text: str) -> None:
    (linked(tmp_path / "project") / f"terraform.{WORKLOADS}.tfstate").write_text(text, encoding="utf-8")
    assert f"terraform.{WORKLOADS}.tfstate is not a readable state file" in refused(run(tmp_path, *arguments))


def test_an_empty_state_file_is_no_state(tmp_path: Path) -> None:
    (linked(tmp_path / "project") / f"terraform.{PLATFORM}.tfstate").touch()
    assert run(tmp_path, "deploy", "dev", "0.2.0").done.returncode == 0


def test_a_deployment_does_not_begin_anew_beside_a_resource_group(tmp_path: Path) -> None:
    there = {"group exists": "true"}
    said = refused(run(tmp_path, "deploy", "dev", "0.2.0", answers=there))
    assert said.startswith(f"terraform.{PLATFORM}.tfstate lists no resource group, and Azure has {GROUP}")
    variables = environment(tmp_path, DEV + BLOB)
    said = refused(run(tmp_path, "deploy", "dev", "0.2.0", answers=there, variables=variables))
    assert said.startswith("kaito/dev/e3b0c44298fc/platform.tfstate in the container tfstate lists no resource group")
    assert "docs/how-to/share-state.md, Names of an older version" in said
    failed = run(tmp_path, "deploy", "dev", "0.2.0", fails="group exists")
    assert (failed.done.returncode, "find the resource group" in failed.done.stderr) == (1, True)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_shared_state_is_read_before_anything_is_changed(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    variables = environment(tmp_path, DEV + BLOB)
    pulled = {"state pull": states.state(states.group("rg-other-dev-westeurope"))}
    ran = run(tmp_path, *arguments, variables=variables, answers=pulled)
    said = refused(ran)
    assert "kaito/dev/e3b0c44298fc/platform.tfstate in the container tfstate is the state of resource group" in said
    assert "rg-other-dev-westeurope" in said
    read = [line.partition(" ")[2].partition(" ")[2] for line in starting(ran, "terraform")]
    assert read == ["init -input=false -no-color", "state pull"] * 2


def test_a_shared_state_that_cannot_be_read_ends_the_command(tmp_path: Path) -> None:
    variables = environment(tmp_path, DEV + BLOB)
    for fails in ("terraform", "state pull"):
        ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=variables, fails=fails)
        assert (ran.done.returncode, starting(ran, "cdk")) == (1, [])
        assert "Hint:   docs/how-to/share-state.md" in ran.done.stderr
    damaged = run(tmp_path, "deploy", "dev", "0.2.0", variables=variables, answers={"state pull": "{"})
    assert "platform.tfstate in the container tfstate is not a readable state" in refused(damaged)


def test_a_shared_state_of_the_environment_is_accepted(tmp_path: Path) -> None:
    variables = environment(tmp_path, DEV + BLOB)
    for answer in ("", states.state(states.group(GROUP))):
        ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=variables, answers={"state pull": answer})
        assert ran.done.returncode == 0, ran.done.stderr


@pytest.mark.parametrize("arguments", COMMANDS)
def test_the_subscription_of_az_counts_where_none_is_chosen(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    states.write(tmp_path / "project", PLATFORM, states.group(GROUP))
    said = refused(run(tmp_path, *arguments, answers={"account show": OTHER}))
    assert f"resource group {GROUP} in subscription {SUBSCRIPTION}; " in said
    assert f"resource group {GROUP} in subscription {OTHER}." in said
    # A machine whose az cannot say compares the names only.
    assert "in subscription" not in run(tmp_path, *arguments, fails="account show").done.stderr
