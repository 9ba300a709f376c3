"""`make deploy` and `make destroy` from end to end: the genuine CLI and Terraform, over stub providers.

Stand-ins replace the programs that need Azure or a cluster. The message that `kubectl exec` would send in the chat's
pod goes to a running application on loopback, in front of a scripted model.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aks_kaito.settings import load
from support import ready_subscription as ready
from support.command_lines import Place, prepare
from support.fake_azure import FakeAzure, error, running
from support.needs import needs_path
from support.project import OWN_ID, ROOT, TODAY, own
from support.stand_ins import DIGEST, Ran, run

APPLICATION_PYTHON = ROOT / ".venv-app" / "bin" / "python"
READY_SECONDS = 30
# The subscription in the ids that the stub providers give.
STUBS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running chat."""
    python = needs_path(APPLICATION_PYTHON, "the chat application's environment (make test installs it)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python), "-m", "kaito_chat.laptop", "--engine", "scripted", "--port", str(port)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "app")}
    log = tmp_path_factory.mktemp("chat") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=variables, stdout=output, stderr=output, cwd=log.parent)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


# The first arguments of the programs that preflight starts: who is signed in, and which versions there are.
QUESTIONS = {"account", "version", "--version"}


class Deployment:
    """One environment in a copy of the project, deployed by the genuine CLI."""

    def __init__(self, place: Place, folder: Path, chat: str, azure: FakeAzure, subscription: str = OWN_ID) -> None:
        self.place = place
        self.subscription = subscription
        self._folder = folder
        self._variables = {
            **place.variables,
            # Without this, the stand-ins select environments of their own.
            "AKS_KAITO_ENVIRONMENTS_DIR": str(place.folder / "environments"),
            "CDK_REAL": str(place.program),
            "IN_POD": chat,
            "AKS_KAITO_ARM_ENDPOINT": azure.endpoint,
            "AKS_KAITO_SKIP_PREFLIGHT": "",
            "APPLICATION": str(ROOT / "app"),
            "APPLICATION_PYTHON": str(APPLICATION_PYTHON),
        }
        settings = place.folder / "environments" / "dev.toml"
        settings.write_text(own(settings.read_text(encoding="utf-8")), encoding="utf-8")
        ready.prepare(azure, load(settings, TODAY))
        azure.answers = {path.replace(OWN_ID, STUBS): answer for path, answer in azure.answers.items()} | azure.answers
        shutil.copytree(ROOT / "cli", place.folder / "cli", ignore=shutil.ignore_patterns("__pycache__"))

    def refused(self, *arguments: str) -> str:
        """Return the reason why the command does nothing."""
        ran = self.attempt(*arguments)
        assert (ran.done.returncode, [each for each in ran.asked if each[1] not in QUESTIONS]) == (2, [])
        return ran.done.stderr

    def attempt(self, *arguments: str, fails: str = "", says: str = "") -> Ran:
        """Run the command; it fails at a step with a message, or not at all."""
        variables = {**self._variables, "SAYS": says or "it was told to fail"}
        answers = {"account show": self.subscription}
        return run(
            self._folder,
            *arguments,
            fails=fails,
            answers=answers,
            variables=variables,
            root=self.place.folder,
            seconds=300,
        )

    def run(self, *arguments: str, fails: str = "", only: tuple[str, str] | None = None) -> Ran:
        """Run the command; it fails at a step, in a stack after one address, or not at all."""
        if only:
            stack, made = only
            (self.place.folder / f"notes.{stack}").write_text(made, encoding="utf-8")
        ran = self.attempt(*arguments, fails=fails)
        assert ran.done.returncode == bool(fails or only), ran.done.stdout + ran.done.stderr
        assert fails in ran.lines[-1], ran.done.stdout + ran.done.stderr
        return ran

    def images(self) -> list[dict[str, str]]:
        """Return the images of our two releases."""
        releases = [each for each in self.place.states()["kaito-dev-workloads"] if each["type"] == "helm_release"]
        values = [
            json.loads(text)
            for release in releases
            for text in release["instances"][0]["attributes"]["values"]
            if DIGEST in text
        ]
        return [each.get("chat", each.get("awaitKaito"))["image"] for each in values]


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    """Azure's management API, as far as the checks before a deployment ask it."""
    with running() as fake:
        yield fake


@pytest.fixture
def forbidding(azure: FakeAzure) -> FakeAzure:
    """Azure where one check cannot be decided, which stops no deployment."""
    azure.answer(ready.DENIED.replace(OWN_ID, STUBS), error(403, "AuthorizationFailed"))
    return azure


def addresses(document: dict[str, Any]) -> list[str]:
    """Return the addresses of all resources."""
    return [f"{kind}.{name}" for kind, named in document["resource"].items() for name in named]


def address(document: dict[str, Any], kind: str) -> str:
    """Return the address of the first resource of a type."""
    return next(each for each in addresses(document) if each.startswith(f"{kind}."))


def test_a_blocker_ends_a_deployment_before_anything_is_changed(
    stacks: dict[str, dict[str, Any]], workloads: dict[str, dict[str, Any]], azure: FakeAzure, tmp_path: Path
) -> None:
    documents = {"kaito-dev-platform": stacks["dev"], "kaito-dev-workloads": workloads["dev"]}
    (tmp_path / "stand-ins").mkdir()
    deployment = Deployment(prepare("cdktn", "dev", documents, tmp_path), tmp_path / "stand-ins", "", azure)
    azure.listed(ready.USAGES, *ready.usages(ready.usage(ready.A10, 0, 35)))
    blocked = deployment.attempt("deploy", "dev", "0.2.0")
    assert (blocked.done.returncode, {each[1] for each in blocked.asked}) == (1, QUESTIONS)
    assert "identity: user ada@kaito.dev" in blocked.done.stdout
    assert "blocker: Standard NVADSA10v5 Family vCPUs: az quota update" in blocked.done.stdout
    assert "Nothing was changed. If a blocker is wrong, begin without these checks" in blocked.done.stderr

    unusable = deployment.attempt("deploy", "dev", "0.2.0", fails="account get-access-token")
    assert (unusable.done.returncode, "Sign in (az login)" in unusable.done.stderr) == (2, True)
    # Without the checks it begins, and this step fails.
    skipped = deployment.attempt("deploy", "--skip-preflight", "dev", "0.2.0", fails="group exists")
    assert (skipped.done.returncode, skipped.steps[-1].startswith("az group exists")) == (1, True)
    assert "Next:   make deploy ENV=dev TAG=0.2.0 SKIP_PREFLIGHT=1," in skipped.done.stderr
    assert not any(deployment.place.states().values())


def test_a_deployment_that_fails_at_several_steps_completes_and_is_destroyed(
    stacks: dict[str, dict[str, Any]],
    workloads: dict[str, dict[str, Any]],
    chat: str,
    forbidding: FakeAzure,
    tmp_path: Path,
) -> None:
    documents = {"kaito-dev-platform": stacks["dev"], "kaito-dev-workloads": workloads["dev"]}
    (tmp_path / "stand-ins").mkdir()
    deployment = Deployment(
        prepare("cdktn", "dev", documents, tmp_path), tmp_path / "stand-ins", chat, forbidding, STUBS
    )
    platform, inside = documents

    # Each stack fails halfway, and the next run completes it.
    whole = {stack: len(addresses(document)) for stack, document in documents.items()}
    for stack, kind in ((platform, "azurerm_virtual_network"), (inside, "kubernetes_namespace_v1")):
        deployment.run("deploy", "dev", "0.2.0", only=(stack, address(documents[stack], kind)))
        assert 1 < len(deployment.place.deployed()[stack]) < whole[stack]
    assert len(deployment.place.deployed()[platform]) == whole[platform]

    deployment.run("deploy", "dev", "0.2.0", fails="kaito_chat.probe")
    assert set(deployment.place.states()) == {platform, inside}
    assert deployment.images() == [{"tag": "0.2.0", "digest": DIGEST}] * 2

    done = deployment.run("deploy", "dev", "0.2.0")
    assert "chat: OK first text after" in done.done.stdout
    # Everything existed, and did not change.
    assert done.done.stdout.count("No changes. Your infrastructure matches the configuration.") == len(documents)

    # Another backend, whose state is empty.
    settings = deployment.place.folder / "environments" / "dev.toml"
    text = settings.read_text(encoding="utf-8")
    blob = '\n[state]\nbackend = "azurerm"\nresource_group_name = "rg-states"\nstorage_account_name = "ststates"\n'
    settings.write_text(text + blob, encoding="utf-8")
    refused = deployment.refused("deploy", "dev", "0.2.0")
    assert f"terraform.{platform}.tfstate lists deployed resources" in refused
    assert f"terraform.{inside}.tfstate lists deployed resources" in refused
    # A state of another environment, and one that is not readable.
    there = deployment.place.folder / f"terraform.{inside}.tfstate"
    whole_text = there.read_text(encoding="utf-8")
    other = there.rename(there.with_name("terraform.kaito-dev-2-workloads.tfstate"))
    assert "workloads" not in deployment.refused("deploy", "dev", "0.2.0")
    there.write_text(whole_text[:100], encoding="utf-8")
    assert f"terraform.{inside}.tfstate is not a readable state file" in deployment.refused("deploy", "dev", "0.2.0")
    other.rename(there)
    settings.write_text(text, encoding="utf-8")

    # Another prefix: Terraform would destroy one environment on the way to the other.
    before = deployment.place.states()
    settings.write_text(text.replace('prefix = "kaito"', 'prefix = "other"'), encoding="utf-8")
    for arguments in (("deploy", "dev", "0.2.0"), ("destroy", "dev", "dev")):
        refused = deployment.refused(*arguments)
        for stack in documents:
            assert f"terraform.{stack}.tfstate is the state of resource group rg-kaito-dev-westeurope" in refused
        assert "environments/dev.toml is resource group rg-other-dev-westeurope" in refused
    assert deployment.place.states() == before
    settings.write_text(text, encoding="utf-8")

    assert "key vault kv-kaito-dev-6f10b7" in deployment.refused("destroy", "dev", "")
    deployment.run("destroy", "dev", "dev", fails=f"destroy {platform}")
    assert deployment.place.states()[inside] == []
    assert deployment.place.states()[platform]
    done = deployment.run("destroy", "dev", "dev")
    assert "Both stacks are destroyed" in done.done.stdout
    assert deployment.place.states() == {platform: [], inside: []}

    # A cluster that was deleted by hand, with its workloads in their state.
    there.write_text(whole_text, encoding="utf-8")
    assert deployment.place.states()[inside]
    missing = "Message: Resource group 'rg-kaito-dev-westeurope' could not be found."
    without = deployment.attempt("destroy", "dev", "dev", fails="aks show", says=missing)
    assert without.done.returncode == 0, without.done.stdout + without.done.stderr
    assert not [line for line in without.lines if "destroy kaito-dev-workloads" in line]
    assert deployment.place.states() == {platform: [], inside: []}
