"""The chat's release by helm: without Terraform, with the values that its stack wrote."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from aks_kaito.charts import ours
from aks_kaito.charts.names import CHAT_DEPLOYMENT
from aks_kaito.settings import Environment
from deploy_steps import ROOT, MissingProgramError, Step, ask

_RELEASE = "kaito-chat"
_TIMEOUT = "10m"
_IMAGE = "jsonpath={.spec.template.spec.containers[0].image}"


def values_file(environment: Environment) -> Path:
    """Where a synthesis writes the values."""
    return ROOT / "cdktf.out" / "values" / f"{environment.name}.yaml"


def is_current(environment: Environment) -> bool:
    """Whether the values are those of the settings as they are now."""
    text = values_file(environment).read_text(encoding="utf-8")
    try:
        written = json.loads(text.partition("\n")[2])
    except ValueError:
        return False
    return bool(written == json.loads(json.dumps(ours.chat(environment))))


def upgrade(environment: Environment, access: str, version: str) -> Step:
    """The upgrade to a tag or a digest; either takes the other's place.

    Raises:
        MissingProgramError: There is no helm.
    """
    tag, digest = ("", version) if version.startswith("sha256:") else (version, "")
    program = helm()
    command = (
        *(program or "helm", "upgrade", "--install", _RELEASE, str(ROOT / "charts" / "kaito-chat")),
        *("--kubeconfig", access, "--namespace", environment.settings.chat.namespace),
        *("--reset-then-reuse-values", "--values", str(values_file(environment))),
        *("--set-string", f"chat.image.tag={tag}", "--set-string", f"chat.image.digest={digest}"),
        *("--timeout", _TIMEOUT),
    )
    step = Step("upgrade the release", command)
    try:
        return step._replace(command=(*command, *_waiting(program or "helm")))
    except OSError as error:
        raise MissingProgramError(step, f"{program or 'helm'} cannot be started: {error.strerror}") from None


def helm() -> str | None:
    """The helm to use: `HELM_BIN`, ours beside this Python, or the PATH's."""
    ours = Path(sys.executable).with_name("helm")
    return os.environ.get("HELM_BIN") or (str(ours) if ours.exists() else shutil.which("helm"))


def _waiting(program: str) -> tuple[str, ...]:
    """How to wait for the pods, and to go back if they do not come; helm 4 would wait for the model too."""
    version = subprocess.run([program, "version", "--short"], capture_output=True, text=True, check=False).stdout
    return ("--atomic", "--wait") if version.startswith("v3") else ("--rollback-on-failure", "--wait=legacy")


def image(environment: Environment, access: str) -> str:
    """The image that the chat's Deployment asks for."""
    place = ("--kubeconfig", access, "--namespace", environment.settings.chat.namespace)
    find = ("kubectl", *place, "get", "deployment", CHAT_DEPLOYMENT, "--output", _IMAGE)
    return ask(Step("find the chat's image", find), environment)
