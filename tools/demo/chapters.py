"""The chapters of the demonstration.

Azure, the cluster's programs and the price list are the fakes of the tests, on loopback; the rest is the product.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from aks_kaito.review import changes, report
from aks_kaito_cli.comparison import working_tree
from demo.stage import Stage
from support import kaito_cluster as cluster
from support import prices, stand_ins
from support.command_lines import TFSTUB
from support.project import ROOT, own

ENVIRONMENT = "dev"
APPLICATION_PYTHON = ROOT / ".venv-app" / "bin" / "python"
# Lines of the environment file that the second chapter changes: the table, the line before and after.
EDITS = (
    ("user_pool", "max_count = 3", "max_count = 5"),
    ("monitoring", "log_daily_quota_gib = 1", "log_daily_quota_gib = 2"),
)
QUESTION = "Why does the sky look blue? Answer in one sentence."
# The model server starts so much later than the chat.
_WARM_UP_SECONDS = 6
_START_SECONDS = 60
_END_SECONDS = 20


class Story:
    """The chapters, and what they share: a folder with the environment file, and the engine of the chat."""

    def __init__(self, stage: Stage, folder: Path, engine: str) -> None:
        """Write the environment file, with own values instead of placeholders."""
        self._stage, self._folder, self._engine = stage, folder, engine
        self._file = folder / "environments" / f"{ENVIRONMENT}.toml"
        self._file.parent.mkdir()
        self._file.write_text(own((ROOT / "environments" / f"{ENVIRONMENT}.toml").read_text(encoding="utf-8")))
        self._variables = {"AKS_KAITO_ENVIRONMENTS_DIR": str(self._file.parent)}
        stage.hidden = {str(self._file.parent): "environments", str(folder / "out"): "cdktf.out"}

    def chapters(self) -> Iterator[int]:
        """Show the chapters, and yield the exit status of each."""
        for chapter in (self.synthesis, self.change, self.plan_and_apply, self.chat, self.status, self.costs):
            yield chapter()
            self._stage.chapter_ends()

    def synthesis(self) -> int:
        """Synthesize the environment."""
        self._stage.heading(1, "Synthesize", "One typed file describes the environment. No Azure account is needed.")
        words = [*stand_ins.AKS_KAITO, "synth", ENVIRONMENT]
        return self._stage.run(
            f"make synth ENV={ENVIRONMENT}", words, {**self._variables, "CDKTF_OUTDIR": str(self._folder / "out")}
        )

    def change(self) -> int:
        """Compare the synthesized Terraform before and after a change of the file."""
        self._stage.heading(
            2, "Review a change", "A pull request shows the Terraform that a change of the file changes."
        )
        os.environ.update(self._variables)
        before = working_tree(ENVIRONMENT)
        self._stage.line(f"environments/{ENVIRONMENT}.toml")
        for table, old, new in EDITS:
            text = self._file.read_text(encoding="utf-8")
            self._file.write_text(
                re.sub(rf"(\[{table}\].*?){old}", rf"\g<1>{new}", text, flags=re.DOTALL), encoding="utf-8"
            )
            self._stage.line(f"  [{table}]")
            self._stage.line(f"- {old}", style="red")
            self._stage.line(f"+ {new}", style="green")
        after = working_tree(ENVIRONMENT)
        self._stage.typed("make diff BASE=main")
        found = changes.compare(before.stacks, after.stacks)
        for line in report.text(found, "main"):
            self._stage.line(line)
        return 0 if found else 1

    def plan_and_apply(self) -> int:
        """Plan and apply both stacks with the genuine Terraform, over providers that only know their schemas."""
        self._stage.heading(3, "Plan and apply", "The genuine Terraform, over providers that have only their schemas.")
        if not (shutil.which("terraform") and TFSTUB.exists() and find_spec("grpc")):
            self._stage.say("Skipped: needs terraform, and the recorded provider schemas beside the project.")
            return 0
        from support import stub_providers  # noqa: PLC0415 - they need a program that is not everywhere
        from support.terraform_runs import Runs  # noqa: PLC0415

        try:
            for path in sorted((self._folder / "out" / "stacks").glob("*/cdk.tf.json")):
                name, document = path.parent.name, json.loads(path.read_text(encoding="utf-8"))
                (self._folder / name).mkdir()
                runs = Runs(document, self._folder / name)
                self._stage.typed(f"terraform plan     # {name}")
                self._stage.line(f"Plan: {len(runs.plan(document).actions)} to add.")
                self._stage.typed("terraform apply")
                # It also checks that a second plan is empty.
                self._stage.line(f"Apply complete: {len(runs.apply(document))} resources. A second plan has no change.")
        finally:
            stub_providers.stop()
        return 0

    def chat(self) -> int:
        """Start the chat before its model, wait for it, and ask a question."""
        self._stage.heading(
            4, "Chat", f"The page serves at once, and says why it waits: the model starts {_WARM_UP_SECONDS} s later."
        )
        port, model_port = _free_port(), _free_port()
        variables = {
            "KAITO_CHAT_ENDPOINT_URL": f"http://127.0.0.1:{model_port}",
            "KAITO_CHAT_LISTEN_PORT": str(port),
            "KAITO_CHAT_MANAGEMENT_PORT": str(_free_port()),
            "KAITO_CHAT_DATA_DIR": str(self._folder / "chat"),
            "KAITO_CHAT_WARM_UP_POLL_SECONDS": "0.5",
            "KAITO_CHAT_MAX_MODEL_LEN_TOKENS": "4096",
            "KAITO_CHAT_MAX_TOKENS": "80",
            "KAITO_CHAT_TEMPERATURE": "0",
            "PYTHONPATH": str(ROOT / "app"),
        }
        chosen = self._engine
        if chosen == "embedded" and not embedded_runs():
            self._stage.say("The embedded engine cannot run here; the scripted one answers instead.")
            chosen = "scripted"
        engine = ("-m", f"kaito_chat.engine.{chosen}", "--port", str(model_port))
        with self._program(("-m", "kaito_chat"), variables), self._program(engine, variables, after=_WARM_UP_SECONDS):
            _wait_for(port)
            script = str(Path(__file__).with_name("conversation.py"))
            words = [str(APPLICATION_PYTHON), script, f"http://127.0.0.1:{port}", QUESTION]
            return self._stage.run("make chat", words, variables)

    def status(self) -> int:
        """Ask for the status of a model that cannot start, and of one that is ready."""
        self._stage.heading(5, "Status", "Why is a model not ready? From recorded answers of Azure and a cluster.")
        crashed = {
            "get workspaces": _listed(cluster.workspace(*cluster.NODE_READY_06)),
            "get pods --output json": _listed(cluster.pod(cluster.running(50))),
            "--previous": "",
            "logs --selector": cluster.log("torch.OutOfMemoryError: CUDA out of memory.").strip(),
        }
        ready = {
            "get workspaces": _listed(cluster.workspace(*cluster.READY_06)),
            "get pods --output json": _listed(cluster.pod(cluster.running(50), cluster.condition("Ready", "True"))),
        }
        found = [self._asked_for_status(answers) for answers in (crashed, ready)]
        return 0 if found == [1, 0] else 1

    def _asked_for_status(self, answers: Mapping[str, str]) -> int:
        given = {
            **answers,
            "get deployments kaito-chat": _listed({"spec": {"replicas": 2}, "status": {"readyReplicas": 2}}),
            "get deployments kaito-workspace": _listed(*cluster.controllers()),
            "get validatingwebhook": _listed({"kind": "x"}),
            "get ": _listed(),
        }
        with cluster.azure_with_cluster() as azure:
            variables = {
                **self._variables,
                "AKS_KAITO_ARM_ENDPOINT": azure.endpoint,
                "ARM_SUBSCRIPTION_ID": cluster.SUBSCRIPTION,
            }
            surroundings = stand_ins.prepare(self._folder, answers=given, variables=variables)
            words = [*stand_ins.AKS_KAITO, "status", ENVIRONMENT]
            return self._stage.run(f"make status ENV={ENVIRONMENT}", words, surroundings)

    def costs(self) -> int:
        """Estimate the costs."""
        self._stage.heading(6, "Costs", "Per month, from recorded public prices.")
        with prices.running() as found:
            variables = {
                **self._variables,
                "AKS_KAITO_PRICES_ENDPOINT": found.endpoint,
                "XDG_CACHE_HOME": str(self._folder / "cache"),
            }
            words = [*stand_ins.AKS_KAITO, "cost", ENVIRONMENT, "--hours-on", "50/week"]
            return self._stage.run(f"make cost ENV={ENVIRONMENT} HOURS_ON=50/week", words, variables)

    @contextmanager
    def _program(self, words: tuple[str, ...], variables: Mapping[str, str], after: float = 0) -> Iterator[None]:
        """Run a program of the chat application in the background, from some seconds on."""
        started: list[subprocess.Popen[bytes]] = []
        log = (self._folder / f"{len(list(self._folder.glob('*.log')))}.log").open("wb")

        def start() -> None:
            command = [str(APPLICATION_PYTHON), *words]
            started.append(subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log))

        timer = threading.Timer(after, start)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            log.close()
            for process in started:
                process.send_signal(signal.SIGTERM)
                process.wait(_END_SECONDS)


def embedded_runs() -> bool:
    """Return whether this machine has the embedded engine, and a processor that it runs on."""
    script = "import sys, xllamacpp\nfrom kaito_chat.engine.embedded import model_file\nsys.exit(model_file() is None)"
    command = [str(APPLICATION_PYTHON), "-c", script]
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "app")}
    return subprocess.run(command, env=variables, capture_output=True, check=False).returncode == 0


def _listed(*items: object) -> str:
    """Return objects as kubectl lists them."""
    return json.dumps({"kind": "List", "items": items})


def _wait_for(port: int) -> None:
    """Wait until a program listens on a port.

    Raises:
        TimeoutError: None does in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no program listens on port {port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
