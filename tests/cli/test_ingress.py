"""A change of ingress.mode: what is in use goes before its ground."""

from pathlib import Path

import pytest

from conftest import ROOT
from support.stand_ins import DEV, GUARDED, SIGN_IN, environment, run, starting


@pytest.mark.parametrize(
    ("mode", "there", "first"),
    [
        ("nginx", "get gateways", "workloads"),
        ("webapprouting", "get gateways", "workloads"),
        ("none", "get services", "workloads"),
        ("nginx", "get services", "platform"),
        ("gateway", "get services", "platform"),
        ("none", "nothing", "platform"),
    ],
)
def test_what_another_controller_still_uses_is_taken_down_before_its_ground(
    tmp_path: Path, mode: str, there: str, first: str
) -> None:
    variables = environment(tmp_path, f'{DEV}\n[ingress]\nmode = "{mode}"\n')
    ran = run(tmp_path, "deploy", "dev", "0.2.0", answers={there: "something/there"}, variables=variables)
    assert ran.done.returncode == 0, ran.done.stderr
    stacks = [line.split()[2].removeprefix("kaito-dev-") for line in starting(ran, "cdk deploy")]
    assert stacks == (["workloads"] if first == "workloads" else []) + ["platform", "workloads"]
    assert ("still exists: the workloads go first" in ran.done.stdout) == (first == "workloads")


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        ("aks show", "Message: Resource group 'rg-kaito-dev-westeurope' could not be found."),
        ("get gateways", 'error: the server doesn\'t have a resource type "gateways"'),
    ],
)
def test_where_there_is_nothing_yet_nothing_is_in_use(tmp_path: Path, fails: str, says: str) -> None:
    ran = run(tmp_path, "deploy", "dev", "0.2.0", fails=f"{fails}#1", variables={"SAYS": says})
    assert ran.done.returncode == 0, ran.done.stderr
    assert "the workloads go first" not in ran.done.stdout


def test_a_private_cluster_that_cannot_be_asked_says_so(tmp_path: Path) -> None:
    prod = (
        (ROOT / "environments" / "prod.toml").read_text(encoding="utf-8").replace('mode = "gateway"', 'mode = "nginx"')
    )
    ran = run(tmp_path, "deploy", "prod", "0.2.0", variables=environment(tmp_path, prod, "prod"))
    assert ran.done.returncode == 3
    assert "cannot check whether the Gateway still exists" in ran.done.stdout
    assert starting(ran, "cdk deploy kaito-prod-platform")


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        (SIGN_IN, "secrets/chat-auth-secret"),
        ("\n[ingress]\n" + GUARDED, "get secret model-people"),
    ],
)
def test_a_switch_looks_for_what_pods_need_first(tmp_path: Path, more: str, missing: str) -> None:
    there, variables = {"get gateways": "gateway/kaito-chat"}, environment(tmp_path, DEV + more)
    ran = run(tmp_path, "deploy", "dev", "0.2.0", fails=missing, answers=there, variables=variables)
    assert (ran.done.returncode, starting(ran, "cdk deploy")) == (1, [])
    failed = run(tmp_path, "deploy", "dev", "0.2.0", fails="cdk deploy", answers=there, variables=variables)
    assert "may need the platform first" in failed.done.stderr
