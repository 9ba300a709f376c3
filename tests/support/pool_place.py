"""The command `gpu-pools` over Azure and the price list on loopback, with stand-ins for programs."""

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

from support import fake_azure, forked, stand_ins
from support.fake_azure import FakeAzure
from support.kaito_pools import POOL, agent_pool, crds, listed
from support.prices import FakePrices

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-kaito-dev-westeurope"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-kaito-dev-westeurope"
POOLS = f"{CLUSTER}/agentPools"


def prepared(azure: FakeAzure) -> FakeAzure:
    """Let Azure have a cluster with Terraform's pools and one of KAITO."""
    azure.answer(CLUSTER, {"properties": {"powerState": {"code": "Running"}}})
    azure.listed(POOLS, agent_pool("system", mode="System"), agent_pool("user", labels=None), agent_pool())
    azure.answer(f"get {POOLS}/{POOL}", agent_pool())
    return azure


class Place:
    """The fakes, and the command that uses them.

    Attributes:
        folder: The folder of the run.
        answers: Output of programs, by words of their command lines.
        asked: The command lines of the programs of the last run.
    """

    def __init__(self, folder: Path, azure: FakeAzure, fake: FakePrices) -> None:
        self.folder = folder
        self.azure = azure
        self.answers = {
            "account get-access-token": json.dumps({"accessToken": fake_azure.TOKEN, "expires_on": 4102444800}),
            "get customresourcedefinitions": crds(),
            "get workspaces.kaito.sh": json.dumps(listed()),
        }
        self.variables = {
            "AKS_KAITO_ARM_ENDPOINT": azure.endpoint,
            "AKS_KAITO_PRICES_ENDPOINT": fake.endpoint,
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "COLUMNS": "80",
        }
        self.asked: list[str] = []

    def owners(self, *items: dict[str, Any]) -> None:
        self.answers["get workspaces.kaito.sh"] = json.dumps(listed(*items))

    def run(self, *arguments: str, fails: str = "", typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command; `typed` is what the user types on a terminal."""
        surroundings = stand_ins.prepare(self.folder, fails=fails, answers=self.answers, variables=self.variables)
        ours, theirs = pty.openpty() if typed is not None else (-1, None)
        if typed is not None:
            os.write(ours, f"{typed}\n".encode())
        try:
            done = forked.run(["gpu-pools", *arguments], surroundings, stdin=theirs)
        finally:
            if theirs is not None:
                os.close(ours)
                os.close(theirs)
        noted = self.folder / "noted"
        lines = noted.read_text().splitlines() if noted.exists() else []
        self.asked = [" ".join(json.loads(line)[0]) for line in lines]
        return done

    @property
    def deletions(self) -> int:
        return len([each for each in self.azure.requests if each.method == "DELETE"])
