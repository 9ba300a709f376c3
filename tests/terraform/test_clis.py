"""Both genuine command lines of the CDK deploy and destroy the environments; a second plan is empty.

One command line takes over from the other: each of them runs on each environment, and runs each command. Three of
the 24 combinations do.
"""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from aks_kaito.settings import Environment
from support.command_lines import NODES, Document, Place, prepare
from support.project import ENVIRONMENTS, ROOT

UNCHANGED = "No changes. Your infrastructure matches the configuration."
# The command line that deploys each environment, the one that plans it, and the one that destroys it. test_deploy.py
# destroys dev.
LIFECYCLES = {
    "dev": ("cdktf", "cdktn", None),
    "prod": ("cdktn", "cdktf", "cdktf"),
    "sample": ("cdktf", "cdktn", "cdktn"),
}


def test_each_command_line_runs_each_command_and_each_environment() -> None:
    assert LIFECYCLES.keys() == {path.stem for path in ENVIRONMENTS}
    assert all(set(NODES) <= set(clis) for clis in LIFECYCLES.values())
    assert all(set(NODES) <= set(clis) for clis in zip(*LIFECYCLES.values(), strict=True))


@pytest.mark.parametrize("name", LIFECYCLES)
def test_both_stacks_are_deployed_in_order_and_planned_without_a_change_and_destroyed(
    name: str,
    environments: dict[str, Environment],
    stacks: dict[str, Document],
    workloads: dict[str, Document],
    tmp_path: Path,
) -> None:
    stack = environments[name].names.stack
    platform, inside = f"{stack}-platform", f"{stack}-workloads"
    documents = {platform: stacks[name], inside: workloads[name]}
    deploys, plans, destroys = LIFECYCLES[name]
    place = prepare(deploys, name, documents, tmp_path)

    if name == "dev":
        for cli in NODES:
            offers_the_documented_options(place.used_by(cli), stack)
            refuses_one_stack_alone(place.used_by(cli), "deploy", inside)
        assert place.states() == {}

    place.run("deploy", f"{stack}-*", "--auto-approve")
    assert place.order("apply") == [f"{platform} begins", f"{platform} ends", f"{inside} begins", f"{inside} ends"]
    assert place.deployed() == {
        each: {f"{kind}.{key}" for kind, named in document["resource"].items() for key in named}
        for each, document in documents.items()
    }

    planned = place.used_by(plans)
    assert UNCHANGED in planned.run("diff", platform)  # synthesizes both stacks anew
    assert UNCHANGED in planned.run("diff", inside, "--skip-synth")

    if destroys is None:
        for cli in NODES:
            refuses_one_stack_alone(place.used_by(cli), "destroy", platform)
        move_the_state(place, list(documents))
        return
    destroying = place.used_by(destroys)
    refuses_to_destroy_data(destroying, platform)
    before = len(place.order("destroy"))
    # The variable of the page on deploying.
    destroying.variables["AKS_KAITO_PREVENT_DESTROY"] = "false"
    destroying.run("destroy", f"{stack}-*", "--auto-approve")
    ends = [f"{inside} begins", f"{inside} ends", f"{platform} begins", f"{platform} ends"]
    assert place.order("destroy")[before:] == ends
    assert place.states() == {platform: [], inside: []}


def refuses_one_stack_alone(place: Place, command: str, stack: str) -> None:
    """Check that a command on one stack names the option that ignores the other one."""
    assert "--ignore-missing-stack-dependencies" in place.run(command, stack, "--auto-approve", status=1)


def refuses_to_destroy_data(place: Place, platform: str) -> None:
    """Check that Terraform destroys nothing of a platform whose protection is not lifted."""
    before = place.states()
    place.run("destroy", platform, "--auto-approve", "--ignore-missing-stack-dependencies", status=1)
    # The command lines lose the end of a long output.
    place.terraform(platform, "plan -destroy -no-color 2>&1 | grep 'Error: Instance cannot be destroyed'")
    assert place.states() == before


def offers_the_documented_options(place: Place, stack: str) -> None:
    """Check the commands of the page on deploying against the help of the command line."""
    page = (ROOT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
    asked = [shlex.split(line)[1:] for line in re.findall(r"^cdktn .*", page, re.MULTILINE)]
    assert {words[1] for words in asked} == {f"{stack}-platform", f"{stack}-workloads", f"{stack}-*"}
    helps = {command: set(re.findall(r"--[a-z-]+", place.run(command, "--help"))) for command, *_ in asked}
    for command, _, *options in asked:
        assert set(options) <= helps[command]


def move_the_state(place: Place, stacks: list[str]) -> None:
    """Move the states to another backend, and then to other names, with the commands of the documentation."""
    before = place.states()
    configure(place, stacks, "elsewhere")
    for line in documented("\nmv "):
        place.shell(line)
    assert moved(place, stacks, "elsewhere") == before
    assert place.states() == {}

    # The names of an older version, as files: `key` is the argument of the other backend.
    configure(place, stacks, "renamed")
    for line in documented("state pull"):
        key = re.sub(r"-backend-config=key=(\S+)", rf"-backend-config=path={place.folder}/elsewhere/\1", line)
        place.shell(key)
    assert moved(place, stacks, "renamed") == before
    # The old ones stay until somebody deletes them.
    assert moved(place, [], "elsewhere") == before


def configure(place: Place, stacks: list[str], folder: str) -> None:
    """Configure a backend in a folder for each stack, as after a new synthesis."""
    for stack in stacks:
        there = place.folder / "cdktf.out" / "stacks" / stack
        # Terraform's record of the old backend is gone.
        shutil.rmtree(there / ".terraform")
        document = json.loads((there / "cdk.tf.json").read_text(encoding="utf-8"))
        document["terraform"]["backend"] = {"local": {"path": f"{place.folder}/{folder}/{stack}.tfstate"}}
        (there / "cdk.tf.json").write_text(json.dumps(document), encoding="utf-8")


def documented(word: str) -> list[str]:
    """Return the commands after the synthesis of the block that contains a word."""
    page = (ROOT / "docs" / "how-to" / "share-state.md").read_text(encoding="utf-8")
    (block,) = [each for each in page.split("```") if each.startswith("console") and word in each]
    console, synthesis, *lines = block.strip().splitlines()
    assert (console, synthesis) == ("console", "make synth ENV=dev")
    return lines


def moved(place: Place, stacks: list[str], folder: str) -> dict[str, list[Document]]:
    """Check that Terraform plans no change of the stacks; return the resources of the states in a folder."""
    for stack in stacks:
        place.terraform(stack, "plan -detailed-exitcode")
    paths = (place.folder / folder).glob("*.tfstate")
    return {path.stem: json.loads(path.read_text(encoding="utf-8"))["resources"] for path in paths}


def test_the_command_lines_are_locked_with_hashes_and_without_a_registry() -> None:
    folder = ROOT / "tools" / "cdk_clis"
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert locked.pop("")["dependencies"] == wanted
    assert wanted == {f"{cli}-cli": locked[f"node_modules/{cli}-cli"]["version"] for cli in NODES}
    for name, package in locked.items():
        assert "integrity" in package or package.get("inBundle"), name
        assert "resolved" not in package, name
