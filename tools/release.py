"""Releases the chat application alone: `python tools/release.py ENVIRONMENT TAG`, which is `make release`.

An upgrade of the chart's release, in the environment's own cluster, with the values that the stack wrote and another
image. What only a deployment knows (ids of identities) is kept from the release before; without one, the chart refuses.
Exit status: helm's, or 2 with the reason.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from aks_kaito.settings import Environment, SettingsError
from cluster_access import kubeconfig
from deploy_steps import ROOT, StepError, named

RELEASE = "kaito-chat"
TIMEOUT = "10m"
TAG = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}|sha256:[0-9a-f]{64}")


def helm() -> str | None:
    """The helm to use: `HELM_BIN`, ours beside this Python, or the PATH's."""
    ours = Path(sys.executable).with_name("helm")
    return os.environ.get("HELM_BIN") or (str(ours) if ours.exists() else shutil.which("helm"))


def command(program: str, access: str, namespace: str, values: Path, tag: str) -> list[str]:
    """The upgrade. A tag of digest form becomes the digest; either takes the other's place."""
    tag, digest = ("", tag) if tag.startswith("sha256:") else (tag, "")
    return [
        *(program, "upgrade", "--install", RELEASE, str(ROOT / "charts" / "kaito-chat")),
        *("--kubeconfig", access, "--namespace", namespace),
        *("--reset-then-reuse-values", "--values", str(values)),
        *("--set-string", f"chat.image.tag={tag}", "--set-string", f"chat.image.digest={digest}"),
        *(*waiting(program), "--timeout", TIMEOUT),
    ]


def waiting(program: str) -> tuple[str, ...]:
    """How to wait for the pods, and to go back if they do not come; helm 4 would wait for the model too."""
    version = subprocess.run([program, "version", "--short"], capture_output=True, text=True, check=False).stdout
    return ("--atomic", "--wait") if version.startswith("v3") else ("--rollback-on-failure", "--wait=legacy")


class RefusedError(Exception):
    """Why nothing was done."""


def prepared(arguments: list[str]) -> tuple[Environment, Path, str, str]:
    """The environment, its values, helm and the tag.

    Raises:
        RefusedError: One of them is not there, or is wrong.
        SettingsError: The environment's file is refused.
    """
    if len(arguments) != 2:  # noqa: PLR2004 - as the first line says
        raise RefusedError("usage: make release ENV=name TAG=tag-or-digest")
    name, tag = arguments
    if not TAG.fullmatch(tag):
        raise RefusedError(
            f"TAG={tag!r}: must be an image's tag, such as 0.2.0, or its digest, sha256:... with 64 digits"
        )
    environment = named(name)
    values = ROOT / "cdktf.out" / "values" / f"{name}.yaml"
    if not values.exists():
        raise RefusedError(f"{values.relative_to(ROOT)} is missing: run `make synth ENV={name}` first")
    program = helm()
    if program is None:
        raise RefusedError("helm is missing: `make test` installs it on Linux/amd64, elsewhere install Helm")
    return environment, values, program, tag


def main(arguments: list[str]) -> int:
    """Upgrade one environment's release to a tag or digest, whatever cluster kubectl's current context is."""
    try:
        environment, values, program, tag = prepared(arguments)
        with kubeconfig(environment) as access:
            asked = command(program, access, environment.settings.chat.namespace, values, tag)
            return subprocess.run(asked, check=False).returncode
    except (RefusedError, SettingsError, StepError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
