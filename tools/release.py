"""Releases the chat application alone: `python tools/release.py ENVIRONMENT TAG`, which is `make release`.

An upgrade of the chart's release, in the environment's own cluster, with the values that the stack wrote and another
image. What only a deployment knows (ids of identities) is kept from the release before; without one, the chart refuses.
Exit status: 0, 1 for a step that failed, 2 for what cannot be begun.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from aks_kaito.settings import Environment, SettingsError
from cluster_access import kubeconfig
from deploy_image import NoImageError, digest
from deploy_steps import ROOT, Step, StepError, named, run, stop_in_order

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


def look_for_image(environment: Environment, version: str) -> None:
    """Look whether there is such an image, if we may: pods would wait ten minutes for one that is not there.

    Raises:
        StepError: There is none.
    """
    try:
        digest(environment, version)
    except NoImageError:
        raise
    except StepError as error:
        sys.stderr.write(f"going on without having seen the image: {error}\n")


def main(arguments: list[str]) -> int:
    """Upgrade one environment's release to a tag or digest, whatever cluster kubectl's current context is."""
    try:
        environment, values, program, tag = prepared(arguments)
    except (RefusedError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        look_for_image(environment, tag)
        with kubeconfig(environment) as access:
            asked = command(program, access, environment.settings.chat.namespace, values, tag)
            run(Step("upgrade the release", tuple(asked)), environment)
    except StepError as error:
        look = f"Look:   {error.look}\n" if error.look else ""
        sys.stderr.write(f"\nFailed: {error}\n{look}")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 1
    return 0


if __name__ == "__main__":
    stop_in_order()
    sys.exit(main(sys.argv[1:]))
