"""Stand-ins for programs that need a cloud: they note their arguments and variables, and fail when told to."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from support import forked
from support.fake_azure import TOKEN
from support.project import ENVIRONMENTS, ROOT, own

DEV = own((ROOT / "environments" / "dev.toml").read_text(encoding="utf-8"))
GROUP = "rg-kaito-dev-westeurope"
SIGN_IN = """
[ingress]
hostname = "chat.kaito.dev"
[chat]
sign_in = "entra"
entra_client_id = "8c5ba1d6-6e2f-4b0e-9d57-0e8f2f4b7a10"
"""
# Publishes a chat without sign-in.
OPEN = "\n[chat]\npublic_without_sign_in = true\n"
GUARDED = """
dns_zone_name = "kaito.dev"
dns_zone_resource_group_name = "dns"
hostname = "chat.kaito.dev"
model_hostname = "model.kaito.dev"
model_basic_auth_secret_name = "model-people"
[chat]
public_without_sign_in = true
"""
DIGEST = "sha256:" + "a" * 64
# The console script's program, for which no file in .venv/bin is needed.
AKS_KAITO = (sys.executable, "-m", "aks_kaito_cli")
NAMES = ("az", "cdk", "docker", "helm", "kubectl", "kubelogin", "probe", "terraform")
# Without site-packages and `json`, which would take most of its time: a deployment starts twenty.
_PROGRAM = """#!{python} -IS
import os, sys
from _json import encode_basestring_ascii as quoted
asked = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
line = " ".join(asked)
seen = ("TF_VAR_", "AKS_KAITO_", "ARM_", "AZURE_EXTENSION", "DOCKER_COMMAND", "KUBECONFIG")
variables = {{key: value for key, value in os.environ.items() if key.startswith(seen)}}
variables["PWD"] = os.getcwd()
words = ", ".join(map(quoted, asked))
pairs = ", ".join(quoted(key) + ": " + quoted(value) for key, value in variables.items())
with open(os.environ["NOTED"], "a") as noted:
    noted.write(f"[[{{words}}], {{{{{{pairs}}}}}}]\\n")
if os.environ.get("SLEEPS") and os.environ["SLEEPS"] in line:
    # Like Terraform, it completes its work after an interrupt; it counts the interrupts.
    import signal, time
    told = []
    signal.signal(signal.SIGINT, lambda *_: told.append(1))
    print("begun", flush=True)
    until = time.monotonic() + 30
    while not told and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1)
    print("ending", flush=True)
    with open(os.environ["ENDED"], "w") as ended:
        ended.write(str(len(told)))
    sys.exit(0)
fails, _, time_of = os.environ.get("FAILS", "").partition("#")
if fails and fails in line:
    import json
    with open(os.environ["NOTED"]) as noted:
        before = sum(fails in " ".join(json.loads(each)[0]) for each in noted)
    # Each time, or only the one that is numbered.
    if time_of in ("", str(before)):
        print(os.environ.get("SAYS", "it was told to fail"), file=sys.stderr)
        sys.exit(7)
if asked[0] == "cdk" and os.environ.get("CDK_REAL"):
    import subprocess
    sys.exit(subprocess.run([os.environ["CDK_REAL"], *asked[1:], "--no-color"]).returncode)
built = os.environ["BUILT"]
for words, answer in {answers!r}.items():
    if words in line:
        sys.exit(print(answer))
if "acr repository show" in line:
    sys.exit(print({digest!r}) if os.path.exists(built) else "ERROR: The specified tag 0.2.0 is not found")
if "get deployment/kaito-chat" in line:
    sys.exit(print("cr.azurecr.io/kaito-chat@" + os.environ.get("RUNS", {digest!r})))
if "acr build" in line or line.startswith("docker push"):
    open(built, "w").close()
if "exec deployment/kaito-chat --" in line and os.environ.get("IN_POD"):
    # The program that would run in the chat's pod, against a chat on loopback.
    inside = line.partition(" -- ")[2].replace("http://127.0.0.1:8000", os.environ["IN_POD"]).split()
    import subprocess
    application = {{**os.environ, "PYTHONPATH": os.environ["APPLICATION"]}}
    sys.exit(subprocess.run([os.environ["APPLICATION_PYTHON"], *inside[1:]], env=application).returncode)
"""
ANSWERS = {
    "az version": '{"azure-cli": "2.77.0"}',
    "helm version": "v4.1.0+gabc",
    "kubelogin --version": "git hash: v0.2.10/abc",
    "terraform version": '{"terraform_version": "1.11.4"}',
    "account get-access-token": json.dumps({"accessToken": TOKEN, "expires_on": 4102444800, "tokenType": "Bearer"}),
    "grafana show": "https://grafana.example.com",
    "public-ip show": "52.174.1.2",
    "get deployment/kaito-workspace": "mcr.microsoft.com/aks/kaito/workspace:0.6.0",
    # No program listens there.
    "aks show": "127.0.0.1:9",
    # Azure has nothing before a deployment and after a destruction.
    "group exists": "false",
    "[properties.location": "",
    "keyvault list-deleted": "2027-02-25T10:00:00+00:00",
}


class Ran(NamedTuple):
    """A finished command, and the programs that it ran.

    Attributes:
        done: Exit status and output.
        asked: The words of each program's command line.
        variables: The variables of each, as far as tests look at them.
    """

    done: subprocess.CompletedProcess[str]
    asked: list[list[str]]
    variables: list[dict[str, str]]

    @property
    def lines(self) -> list[str]:
        """The command lines as text."""
        return [" ".join(each) for each in self.asked]

    @property
    def steps(self) -> list[str]:
        """The first four words of each command line."""
        return [" ".join(each[:4]) for each in self.asked]


def linked(folder: Path) -> Path:
    """Return a project of links to this one, which needs no synthesis."""
    folder.mkdir(exist_ok=True)
    for name in ("app", "charts", "cli", "environments", "main.py"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return folder


def prepare(
    folder: Path,
    *,
    fails: str = "",
    answers: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    root: Path | None = None,
) -> dict[str, str]:
    """Write the stand-ins into `folder`; return the variables with which a command finds them there.

    The command is that of the project in `root`, by default of one in `folder`: a checkout runs one command at a time.
    """
    root = root or linked(folder / "project")
    noted = folder / "noted"
    noted.unlink(missing_ok=True)
    program = _PROGRAM.format(python=sys.executable, digest=DIGEST, answers={**ANSWERS, **(answers or {})})
    for name in NAMES:
        (folder / name).write_text(program, encoding="utf-8")
        (folder / name).chmod(0o755)
    # The user who runs the tests may have selected a subscription, a cluster or modules.
    own = ("ARM_SUBSCRIPTION_ID", "KUBECONFIG", "PYTHONPATH")
    outside = {key: value for key, value in os.environ.items() if key not in own}
    surroundings = {**outside, **(variables or {})}
    return {
        "PYTHONPATH": str(root / "cli"),
        "CDK_CLI": "cdk",
        # Tests of the steps have no Azure.
        "AKS_KAITO_SKIP_PREFLIGHT": "1",
        "CHAT_PROBE": "probe",
        "NOTED": str(noted),
        "BUILT": str(folder / "built"),
        "FAILS": fails,
        "ENDED": str(folder / "ended"),
        **surroundings,
        "PATH": f"{folder}:{surroundings['PATH']}",
    }


def run(
    folder: Path,
    *arguments: str,
    fails: str = "",
    answers: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    root: Path | None = None,
    seconds: int = 120,
) -> Ran:
    """Run `aks-kaito` with the stand-ins, as `prepare` says; the shipped environments are deployed with own values."""
    is_shipped = root is None or (root / "environments").is_symlink()
    if arguments[:1] == ("deploy",) and is_shipped and "AKS_KAITO_ENVIRONMENTS_DIR" not in (variables or {}):
        variables = {**(variables or {}), **without_placeholders(folder)}
    surroundings = prepare(folder, fails=fails, answers=answers, variables=variables, root=root)
    done = forked.run(arguments, surroundings, seconds=seconds)
    noted = folder / "noted"
    found = [json.loads(line) for line in noted.read_text().splitlines()] if noted.exists() else []
    return Ran(done, [asked for asked, _ in found], [each for _, each in found])


def environment(folder: Path, text: str, name: str = "dev") -> dict[str, str]:
    """Write a folder with one environment, and return the variables that select the folder."""
    place = folder / "environments"
    place.mkdir(exist_ok=True)
    (place / f"{name}.toml").write_text(text, encoding="utf-8")
    return {"AKS_KAITO_ENVIRONMENTS_DIR": str(place)}


def without_placeholders(folder: Path) -> dict[str, str]:
    """Write the shipped environments without placeholders, which a deployment refuses; return the variables."""
    chosen: dict[str, str] = {}
    for path in ENVIRONMENTS:
        chosen = environment(folder, own(path.read_text(encoding="utf-8")), path.stem)
    return chosen


def starting(ran: Ran, *words: str) -> list[str]:
    """Return the command lines that start with one of these texts."""
    return [line for line in ran.lines if line.startswith(words)]


def placed(ran: Ran) -> list[str]:
    """Return all command lines, with the temporary kubeconfig's path replaced."""
    return [re.sub(r"/\S+/kubeconfig", "KUBECONFIG", line) for line in ran.lines]
