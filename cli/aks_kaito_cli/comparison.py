"""The synthesized Terraform of the working tree and of a git revision.

Both are synthesized in a temporary folder, at the same time, each with its own code and its own environment files; the
working tree, its `cdktf.out` and git's index are only read. The installed dependencies serve both.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aks_kaito.review import documents
from aks_kaito.review.documents import Document
from aks_kaito_cli.project import ROOT
from aks_kaito_cli.terminal import threads

_LOCK = "requirements/infra.txt"
# Variables that select or move environments, or lift the protection of resources.
_SELECTING = ("AKS_KAITO_ENV", "AKS_KAITO_PREVENT_DESTROY")

Side = dict[str, Document]


class Synthesized(NamedTuple):
    """The stacks of one side, and the summaries that its synthesis printed, by environment."""

    stacks: Side
    summaries: dict[str, dict[str, Any]]

    def of(self, environment: str) -> tuple[Side, dict[str, Any]]:
        """Return stacks and summary of an environment; both are empty if the side does not have it."""
        return _of_environment(environment, self.stacks), self.summaries.get(environment, {})


class ComparisonError(Exception):
    """A side of the comparison cannot be synthesized."""


def both_sides(base: str, environment: str | None = None) -> tuple[Side, Side]:
    """Return the stacks of the revision and of the working tree, of one environment or of all.

    Raises:
        ComparisonError: The revision does not exist, a side cannot be synthesized, or neither has the environment.
    """
    old, new = (side.stacks for side in _both(base))
    if environment is not None:
        old, new = _of_environment(environment, old), _of_environment(environment, new)
        if not old and not new:
            raise ComparisonError(f"ENV = {environment!r}: neither side has such an environment")
    return old, new


def both_of(base: str, environment: str) -> tuple[Synthesized, Synthesized]:
    """Return an environment of the revision and of the working tree, with the summaries.

    Raises:
        ComparisonError: As for `both_sides`.
    """
    old, new = _both(base)
    if not any(side.of(environment)[0] for side in (old, new)):
        raise ComparisonError(f"ENV = {environment!r}: neither side has such an environment")
    return old, new


def _both(base: str) -> tuple[Synthesized, Synthesized]:
    with tempfile.TemporaryDirectory(prefix="aks-kaito-diff-") as folder:
        return _synthesize_both(base, Path(folder))


def working_tree(environment: str) -> Synthesized:
    """Return one environment of the working tree, from the folder that `AKS_KAITO_ENVIRONMENTS_DIR` may name.

    Raises:
        ComparisonError: It cannot be synthesized.
    """
    with tempfile.TemporaryDirectory(prefix="aks-kaito-synth-") as folder:
        variables = {**os.environ, "AKS_KAITO_ENV": environment}
        return _synthesize("the working tree", ROOT, Path(folder, "out"), variables)


def _synthesize_both(base: str, folder: Path) -> tuple[Synthesized, Synthesized]:
    checkout = folder / "base"
    _check_out(_commit(base), checkout)
    if not (checkout / "main.py").is_file():
        raise ComparisonError(f"{base} has no main.py to synthesize")
    lock = checkout / _LOCK
    if not lock.is_file() or lock.read_bytes() != (ROOT / _LOCK).read_bytes():
        print(f"note: {_LOCK} differs; {base} is synthesized with the installed dependencies", file=sys.stderr)
    with threads() as pool:
        variables = _variables(os.environ)
        old = pool.submit(_synthesize, base, checkout, folder / "old", variables)
        new = pool.submit(_synthesize, "the working tree", ROOT, folder / "new", variables)
        return old.result(), new.result()


def _commit(base: str) -> str:
    """Return the commit that a revision names."""
    ran = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    if ran.returncode:
        reason = ran.stderr.decode(errors="replace").strip() or "must be a branch, a tag or a commit of this repository"
        raise ComparisonError(f"base {base!r}: {reason}")
    return ran.stdout.decode().strip()


def _check_out(commit: str, folder: Path) -> None:
    """Unpack a commit into a folder; `git archive` reads the object store and changes nothing."""
    archive = folder.with_suffix(".zip")
    ran = _git("archive", "--format=zip", f"--output={archive}", commit)
    if ran.returncode:
        raise ComparisonError(f"git archive {commit}: {ran.stderr.decode(errors='replace').strip()}")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)  # noqa: S607
    except FileNotFoundError:
        raise ComparisonError("git is not on the PATH (package: git)") from None


def _synthesize(name: str, root: Path, output: Path, variables: Mapping[str, str]) -> Synthesized:
    """Return the stacks of one side, synthesized by its own code."""
    ran = subprocess.run(
        [sys.executable, "-O", str(root / "main.py"), "--show", "json"],
        cwd=output.parent,
        env={**variables, "CDKTF_OUTDIR": str(output), "PYTHONPATH": str(root / "constructs")},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise ComparisonError(f"{name} cannot be synthesized:\n{ran.stderr.strip() or ran.stdout.strip()}")
    summaries = {str(each["environment"]): each for each in json.loads(ran.stdout)}
    return Synthesized(documents.read_all(output), summaries)


def _variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that change the output: each side has files of its own."""
    return {name: value for name, value in variables.items() if not name.startswith(_SELECTING)}


def _of_environment(name: str, side: Side) -> Side:
    """Return the stacks `kaito-NAME-platform` and `kaito-NAME-workloads`, not those of an environment `NAME-x`."""
    return {stack: found for stack, found in side.items() if stack.rpartition("-")[0] == f"kaito-{name}"}
