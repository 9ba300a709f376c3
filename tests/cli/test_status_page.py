"""The output that the documentation shows, made by the command itself."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from aks_kaito_cli.answers import show
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.project import environment_named
from aks_kaito_cli.status.command import Status
from aks_kaito_cli.status.look import look
from aks_kaito_cli.status.report import stages
from support.fake_azure import Credential, FakeAzure
from support.kaito_cluster import (
    ACTIVITY,
    CLUSTER,
    MODEL,
    NODE_READY_12,
    NODE_UP,
    NOW,
    PENDING_06,
    READY_06,
    SUBSCRIPTION,
    Given,
    azure_with_cluster,
    claim,
    cluster,
    condition,
    controllers,
    failed_operation,
    log,
    pod,
    pool,
    running,
    workspace,
)
from support.project import ROOT

PAGE = ROOT / "docs" / "how-to" / "see-why-a-model-is-not-ready.md"
_BLOCK = re.compile(r"<!-- output: (\w+) -->\n```text\n(.*?)```", re.DOTALL)
QUOTA = {
    "code": "ErrCode_InsufficientVCPUQuota",
    "message": "Insufficient vcpu quota requested 24, remaining 0 for family standardNCADSA100v4Family for region"
    " westeurope.",
}
CUT = condition(
    "Launched", "False", "LaunchFailed", "creating instance, agentPool.BeginCreateOrUpdate failed: PUT https..."
)
CASES: dict[str, dict[str, Any]] = {
    "quota": {"workspaces": [workspace(*PENDING_06, age=142)], "claims": [claim(CUT)]},
    "loading": {
        "workspaces": [workspace(*NODE_READY_12, age=600)],
        "claims": [claim(*NODE_UP)],
        "pods": [pod(running(89))],
        "downloads": f"{MODEL}-0 kaito_model_download_remaining_seconds 48.2",
        "logs": log("INFO 11-28 11:59:31 [inference_api.py:307] Expected model size: 7.15 GiB"),
        "controllers": controllers("0.12.0"),
    },
    "ready": {"workspaces": [workspace(*READY_06)], "pods": [pod(running(50), condition("Ready", "True"))]},
}


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with azure_with_cluster() as fake:
        old: dict[str, Any] = {"nodeImageVersion": "AKSUbuntu-2404gen2containerd-202608.20.0"}
        fake.listed(f"{CLUSTER}/agentPools", pool("system", **old), pool())
        yield fake


@pytest.mark.parametrize("case", CASES)
def test_the_page_shows_what_the_command_prints(
    azure: FakeAzure, case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    if case == "quota":
        azure.listed(f"{CLUSTER}/agentPools", pool("system"))
        azure.listed(ACTIVITY, failed_operation(QUOTA))
    arm, environment, given = Arm(Credential(), azure.endpoint), environment_named("dev"), Given(cluster(**CASES[case]))
    seen = look(environment, arm, CLUSTER, given, NOW)  # type: ignore[arg-type]  # a stand-in for the reader
    answer = Status(environment, arm, SUBSCRIPTION, given).answer(seen)  # type: ignore[arg-type]  # likewise
    show(answer, as_json=False, tables=[table] if (table := stages(seen.models)) else [])
    printed = "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines()).strip("\n") + "\n"
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_PAGES"):
        block = f"<!-- output: {case} -->\n```text\n{printed}```"
        text = _BLOCK.sub(lambda match: block if match[1] == case else match[0], text)
        PAGE.write_text(text, encoding="utf-8")
    assert dict(_BLOCK.findall(text))[case] == printed
