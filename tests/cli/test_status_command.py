"""The whole command `aks-kaito status`, with stand-ins for az and kubectl and a fake of Azure."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fake_azure import TOKEN, FakeAzure
from support.kaito_cluster import (
    MODEL,
    NODE_READY_06,
    READY_06,
    SUBSCRIPTION,
    azure_with_cluster,
    condition,
    controllers,
    log,
    pod,
    running,
    workspace,
)
from support.stand_ins import DEV, Ran, environment, run, starting

SIGNED_IN = {
    "account get-access-token": json.dumps(
        {
            "accessToken": TOKEN,
            "expires_on": 4102444800,
            "expiresOn": "2100-01-01 00:00:00.000000",
            "tokenType": "Bearer",
        }
    )
}
UNREACHED = "Unable to connect to the server: dial tcp 20.1.2.3:443: i/o timeout"


def listed(*items: Any) -> str:
    return json.dumps({"kind": "List", "items": items})


CHAT = {"spec": {"replicas": 2}, "status": {"readyReplicas": 2}}
KAITO = {
    "get deployments kaito-chat": listed(CHAT),
    "get deployments kaito-workspace": listed(*controllers()),
    "get validatingwebhook": listed({"kind": "x"}),
}
READY = {
    "get workspaces": listed(workspace(*READY_06)),
    "get pods --output json": listed(pod(running(50), condition("Ready", "True"))),
}
CRASHED = {
    "get workspaces": listed(workspace(*NODE_READY_06)),
    "get pods --output json": listed(pod(running(50))),
    "--previous": "",
    "logs --selector": log("torch.OutOfMemoryError: CUDA out of memory.").strip(),
}


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with azure_with_cluster() as fake:
        yield fake


def status(
    folder: Path, azure: FakeAzure, *words: str, answers: dict[str, str] | None = None, fails: str = "", **more: str
) -> Ran:
    variables = {
        **environment(folder, DEV),
        "AKS_KAITO_ARM_ENDPOINT": azure.endpoint,
        "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
        "SAYS": UNREACHED,
        "COLUMNS": "120",
        **more,
    }
    given = {**(answers or {}), **SIGNED_IN, **KAITO, "get ": listed()}
    return run(folder, "status", "dev", *words, fails=fails, answers=given, variables=variables)


def test_a_ready_environment_is_a_table_a_sentence_and_a_command(tmp_path: Path, azure: FakeAzure) -> None:
    ran = status(tmp_path, azure, answers=READY)
    assert ran.done.returncode == 0, ran.done.stderr
    lines = ran.done.stdout.splitlines()
    assert lines[-2:] == [
        f"dev is ready: {MODEL} answers.",
        "Next: kubectl --namespace kaito-chat port-forward service/kaito-chat 8000:80",
    ]
    assert any(line.split()[:3] == ["Model", MODEL, "ok"] for line in lines)
    assert "Traceback" not in ran.done.stderr
    # Nothing is changed, and the user's kubeconfig stays as it is.
    assert starting(ran, "az aks get-credentials")
    assert all("--kubeconfig" in line for line in starting(ran, "kubectl"))
    verbs = {line.split("--namespace")[1].split()[1] for line in starting(ran, "kubectl")}
    assert verbs == {"get", "logs"}


def test_a_blocker_is_a_sentence_and_a_remedy(tmp_path: Path, azure: FakeAzure) -> None:
    ran = status(tmp_path, azure, answers=CRASHED)
    assert ran.done.returncode == 1
    assert ran.done.stdout.splitlines()[-2:] == [
        f"dev is not ready: the GPU has too little memory for {MODEL}.",
        "Next: lower model.max_model_len in environments/dev.toml, then: make deploy ENV=dev TAG=...",
    ]


def test_json_has_findings_stages_and_the_cause(tmp_path: Path, azure: FakeAzure) -> None:
    ran = status(tmp_path, azure, "--json", answers=CRASHED)
    found = json.loads(ran.done.stdout)
    assert (ran.done.returncode, found["exit_status"], found["path"]) == (1, 1, "direct")
    (model,) = found["models"]
    assert (model["name"], model["cause"], model["evidence"]["kind"]) == (MODEL, "gpu_memory", "log")
    assert [each["stage"] for each in model["stages"]][:2] == ["GPU node", "node initialization"]


def test_a_watch_writes_lines_where_there_is_no_terminal_and_ends_at_a_blocker(
    tmp_path: Path, azure: FakeAzure
) -> None:
    ran = status(tmp_path, azure, "--watch", answers=CRASHED)
    assert ran.done.returncode == 1
    assert f"{MODEL}: cannot become ready: gpu_memory" in ran.done.stderr


def test_a_watch_ends_after_its_time(tmp_path: Path, azure: FakeAzure) -> None:
    loading = {**CRASHED, "logs --selector": log("INFO loading").strip()}
    ran = status(tmp_path, azure, "--watch", "--timeout", "0.02", answers=loading)
    assert ran.done.returncode == 3
    assert "is not ready yet: model download and load since" in ran.done.stdout
    assert f"{MODEL}: model download and load" in ran.done.stderr


def test_without_the_cluster_the_command_says_that_only_azure_answers(tmp_path: Path, azure: FakeAzure) -> None:
    ran = status(tmp_path, azure, fails="kubectl")
    assert ran.done.returncode == 3
    assert "Azure's answers only" in ran.done.stdout
    assert "the cluster cannot be read" in ran.done.stdout.splitlines()[-2]


def test_nobody_signed_in_is_no_pass(tmp_path: Path, azure: FakeAzure) -> None:
    ran = status(tmp_path, azure, fails="az", SAYS="ERROR: Please run 'az login' to setup account.")
    assert ran.done.returncode == 3
    assert "Please run 'az login'" in ran.done.stdout
    assert ran.done.stdout.splitlines()[-1] == "Next: az login"
    assert "Traceback" not in ran.done.stderr


@pytest.mark.parametrize(
    ("name", "endpoint", "words"),
    [
        ("nowhere", "", '"nowhere": must be one of: dev'),
        ("dev", "http://arm.kaito.dev", "http://arm.kaito.dev: must begin with https://"),
    ],
)
def test_unusable_input_exits_2_with_a_message(tmp_path: Path, name: str, endpoint: str, words: str) -> None:
    variables = {**environment(tmp_path, DEV), "ARM_SUBSCRIPTION_ID": SUBSCRIPTION}
    ran = run(tmp_path, "status", name, variables={**variables, "AKS_KAITO_ARM_ENDPOINT": endpoint})
    assert (ran.done.returncode, words in ran.done.stderr, "Traceback" in ran.done.stderr) == (2, True, False)


def test_the_subscription_must_be_chosen_where_there_are_several(tmp_path: Path, azure: FakeAzure) -> None:
    azure.listed("/subscriptions", *({"subscriptionId": each, "state": "Enabled"} for each in ("one", "two")))
    ran = status(tmp_path, azure, ARM_SUBSCRIPTION_ID="")
    assert ran.done.returncode == 3
    assert "no subscription is chosen: set subscription_id in the environment's file" in ran.done.stderr
    assert ran.done.stderr.splitlines()[-1] == "Next: az account list --output table"
