"""Releases the chat application alone: `python tools/release.py ENVIRONMENT TAG`, which is `make release`.

An upgrade of the chart's release with the values that the stack wrote, and another image. What only a deployment knows
(ids of identities) is kept from the release before; without one, the chart refuses. Exit status: helm's, or 2 with the
reason.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from aks_kaito.settings import SettingsError, load

ROOT = Path(__file__).parents[1]
RELEASE = "kaito-chat"
TIMEOUT = "10m"
TAG = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}|sha256:[0-9a-f]{64}")


def helm() -> str | None:
    """The helm to use: `HELM_BIN`, ours beside this Python, or the PATH's."""
    ours = Path(sys.executable).with_name("helm")
    return os.environ.get("HELM_BIN") or (str(ours) if ours.exists() else shutil.which("helm"))


def command(program: str, namespace: str, values: Path, tag: str) -> list[str]:
    """The upgrade. A tag of digest form becomes the digest; either takes the other's place."""
    tag, digest = ("", tag) if tag.startswith("sha256:") else (tag, "")
    return [
        *(program, "upgrade", "--install", RELEASE, str(ROOT / "charts" / "kaito-chat"), "--namespace", namespace),
        *("--reset-then-reuse-values", "--values", str(values)),
        *("--set-string", f"chat.image.tag={tag}", "--set-string", f"chat.image.digest={digest}"),
        *(*waiting(program), "--timeout", TIMEOUT),
    ]


def waiting(program: str) -> tuple[str, ...]:
    """How to wait for the pods, and to go back if they do not come; helm 4 would wait for the model too."""
    version = subprocess.run([program, "version", "--short"], capture_output=True, text=True, check=False).stdout
    return ("--atomic", "--wait") if version.startswith("v3") else ("--rollback-on-failure", "--wait=legacy")


def refuse(reason: str) -> int:
    """Say why nothing was done."""
    sys.stderr.write(f"{reason}\n")
    return 2


def main(arguments: list[str]) -> int:
    """Upgrade one environment's release to a tag or digest."""
    if len(arguments) != 2:  # noqa: PLR2004 - as the first line says
        return refuse("usage: make release ENV=name TAG=tag-or-digest")
    name, tag = arguments
    if not TAG.fullmatch(tag):
        return refuse(f"TAG={tag!r}: must be an image's tag, such as 0.2.0, or its digest, sha256:... with 64 digits")
    try:
        environment = load(ROOT / "environments" / f"{name}.toml")
    except SettingsError as error:
        return refuse(str(error))
    values = ROOT / "cdktf.out" / "values" / f"{name}.yaml"
    if not values.exists():
        return refuse(f"{values.relative_to(ROOT)} is missing: run `make synth ENV={name}` first")
    program = helm()
    if program is None:
        return refuse("helm is missing: `make test` installs it on Linux/amd64, elsewhere install Helm")
    return subprocess.run(command(program, environment.settings.chat.namespace, values, tag), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
