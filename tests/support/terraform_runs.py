"""The real Terraform over stub providers, which plans and applies one stack after the other in one state."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from support.command_lines import Document, stubs
from support.needs import needs_program

_STATE = "state.tfstate"
_BACKEND = {"terraform": {"backend": {"local": {"path": _STATE}}}}


class Plan(NamedTuple):
    """A plan that succeeded.

    Attributes:
        actions: The actions of each address that changes, such as `["delete", "create"]`.
        after: The planned values of each address that changes.
        warnings: The texts of the warnings.
    """

    actions: dict[str, list[str]]
    after: dict[str, Any]
    warnings: list[str]


class Runs:
    """A folder with a state, in which Terraform plans and applies documents."""

    def __init__(self, document: Document, folder: Path) -> None:
        """Prepare the providers of `document`, which all later ones must have too."""
        self._folder = folder / "work"
        self._terraform = needs_program("terraform", package="terraform")
        self._variables = {**os.environ, **stubs({"stack": document}, folder / "stubs"), "TF_IN_AUTOMATION": "1"}
        self._folder.mkdir()
        (self._folder / "override.tf.json").write_text(json.dumps(_BACKEND), encoding="utf-8")
        self._planned: tuple[tuple[str, str], Plan] | None = None
        self._write(document)
        self._run("init", "-input=false", "-no-color")

    def plan(self, document: Document) -> Plan:
        """Plan a document, and check that this succeeds; the last plan stays valid until document or state change."""
        state = self._folder / _STATE
        given = json.dumps(document), state.read_text(encoding="utf-8") if state.exists() else ""
        if self._planned is None or self._planned[0] != given:
            self._planned = given, self._plan(document)
        return self._planned[1]

    def _plan(self, document: Document) -> Plan:
        self._write(document)
        events = self._events(self._run("plan", "-json", "-no-color", "-input=false", "-lock=false", "-out=plan"))
        shown = json.loads(self._run("show", "-json", "plan"))
        changes = {
            each["address"]: each["change"]
            for each in shown["resource_changes"]
            if each["mode"] == "managed" and each["change"]["actions"] != ["no-op"]
        }
        return Plan(
            actions={address: change["actions"] for address, change in changes.items()},
            after={address: change["after"] for address, change in changes.items()},
            warnings=[
                event["diagnostic"]["detail"]
                for event in events
                if event["type"] == "diagnostic" and event["diagnostic"]["severity"] == "warning"
            ],
        )

    def apply(self, document: Document) -> list[str]:
        """Plan and apply a document, check that a second plan is empty, and return the addresses in their order."""
        self.plan(document)
        events = self._events(self._run("apply", "-json", "-no-color", "-input=false", "-lock=false", "plan"))
        assert self.plan(document).actions == {}
        return [event["hook"]["resource"]["addr"] for event in events if event["type"] == "apply_complete"]

    def refusal(self, document: Document) -> str:
        """Plan a document, check that this fails, and return the output."""
        self._write(document)
        return " ".join(self._run("plan", "-input=false", "-lock=false", "-no-color", status=1).split())

    def drift(self, change: Callable[[dict[str, dict[str, Any]]], None]) -> None:
        """Change the values of all addresses in the state, as a refresh does after a change in Azure."""
        path = self._folder / _STATE
        state = json.loads(path.read_text(encoding="utf-8"))
        change(
            {
                f"{each['type']}.{each['name']}": each["instances"][0]["attributes"]
                for each in state["resources"]
                if each["mode"] == "managed"
            }
        )
        path.write_text(json.dumps(state), encoding="utf-8")

    def _write(self, document: Document) -> None:
        (self._folder / "cdk.tf.json").write_text(json.dumps(document), encoding="utf-8")

    def _run(self, *arguments: str, status: int = 0) -> str:
        ran = subprocess.run(
            [self._terraform, *arguments],
            cwd=self._folder,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert ran.returncode == status, ran.stdout
        return ran.stdout

    @staticmethod
    def _events(printed: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
