"""Shows what the working tree changes in the synthesized Terraform, compared with a git revision.

Both are synthesized elsewhere, at the same time, each with its own code and its own environment files; the working
tree, its `cdktf.out` and git's index are only read. The installed dependencies serve both.

Exit status: 0; 2 with a message when the revision does not exist or either side cannot be synthesized; with
`--exit-code` 1 when something differs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aks_kaito.review import changes, documents, report
from aks_kaito.review.documents import Document

ROOT = Path(__file__).parents[1]
_LOCK = "requirements/infra.txt"


class DiffError(Exception):
    """Why there is nothing to compare."""


def main() -> int:
    """Compare, print, and say with the exit status how it went."""
    arguments = _arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="aks-kaito-diff-") as folder:
            old, new = _both(arguments.base, Path(folder))
    except DiffError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.env:
        old, new = (_of_environment(arguments.env, side) for side in (old, new))
        if not old and not new:
            print(f"--env {arguments.env}: neither side has such an environment", file=sys.stderr)
            return 2
    found = changes.compare(old, new)
    if arguments.markdown:
        print("\n".join(report.markdown(found, arguments.base)))
    else:
        report.show(found, arguments.base)
    return int(bool(found) and arguments.exit_code)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What the working tree changes in the synthesized Terraform.")
    parser.add_argument("base", help="the git revision to compare with, such as origin/main or HEAD~1")
    parser.add_argument("--env", help="only this environment (default: all)")
    parser.add_argument("--markdown", action="store_true", help="Markdown, for a comment on a pull request")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 when something differs")
    return parser.parse_args()


def _both(base: str, folder: Path) -> tuple[dict[str, Document], dict[str, Document]]:
    """The stacks of the revision and of the working tree."""
    checkout = folder / "base"
    _check_out(_commit(base), checkout)
    if not (checkout / "main.py").is_file():
        raise DiffError(f"{base} has no main.py to synthesize")
    lock = checkout / _LOCK
    if not lock.is_file() or lock.read_bytes() != (ROOT / _LOCK).read_bytes():
        print(f"note: {_LOCK} differs; {base} is synthesized with the installed dependencies", file=sys.stderr)
    with ThreadPoolExecutor() as pool:
        old = pool.submit(_synthesize, base, checkout, folder / "old")
        new = pool.submit(_synthesize, "the working tree", ROOT, folder / "new")
        return old.result(), new.result()


def _commit(base: str) -> str:
    """The commit that a revision names."""
    ran = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    if ran.returncode:
        reason = ran.stderr.decode(errors="replace").strip() or "must be a branch, a tag or a commit of this repository"
        raise DiffError(f"BASE = {base!r}: {reason}")
    return ran.stdout.decode().strip()


def _check_out(commit: str, folder: Path) -> None:
    """The files of a commit; `git archive` reads the object store and leaves everything else alone."""
    archive = folder.with_suffix(".zip")
    ran = _git("archive", "--format=zip", f"--output={archive}", commit)
    if ran.returncode:
        raise DiffError(f"git archive {commit}: {ran.stderr.decode(errors='replace').strip()}")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)  # noqa: S607
    except FileNotFoundError:
        raise DiffError("git is not on the PATH (package: git)") from None


def _synthesize(name: str, root: Path, output: Path) -> dict[str, Document]:
    """The stacks of all environments of one side, synthesized by its own code."""
    ran = subprocess.run(
        [sys.executable, "-O", str(root / "main.py")],
        cwd=output.parent,
        env={**_variables(os.environ), "CDKTF_OUTDIR": str(output), "PYTHONPATH": str(root / "constructs")},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise DiffError(f"{name} cannot be synthesized:\n{ran.stderr.strip() or ran.stdout.strip()}")
    return documents.read_all(output)


def _variables(variables: Mapping[str, str]) -> dict[str, str]:
    """The process's environment without what would select or move environments: both sides have files of their own."""
    return {name: value for name, value in variables.items() if not name.startswith("AKS_KAITO_ENV")}


def _of_environment(name: str, side: dict[str, Document]) -> dict[str, Document]:
    """The stacks `kaito-NAME-platform` and its siblings, not those of an environment `NAME-x`."""
    return {stack: found for stack, found in side.items() if stack.rpartition("-")[0] == f"kaito-{name}"}


if __name__ == "__main__":
    sys.exit(main())
