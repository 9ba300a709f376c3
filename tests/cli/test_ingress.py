"""A change of ingress.mode: workloads that use a part of the platform go before that part."""

from pathlib import Path

import pytest

from support.project import ROOT, own
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
def test_workloads_that_block_the_platform_change_go_first(tmp_path: Path, mode: str, there: str, first: str) -> None:
    variables = environment(tmp_path, f'{DEV}\n[ingress]\nmode = "{mode}"\n')
    ran = run(tmp_path, "deploy", "dev", "0.2.0", answers={there: "something/there"}, variables=variables)
    assert ran.done.returncode == 0, ran.done.stderr
    stacks = [line.split()[2].removeprefix("kaito-dev-") for line in starting(ran, "cdk deploy")]
    assert stacks == (["workloads"] if first == "workloads" else []) + ["platform", "workloads"]
    assert ("still exists: deploying the workloads first" in ran.done.stdout) == (first == "workloads")


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        ("aks show", "Message: Resource group 'rg-kaito-dev-westeurope' could not be found."),
        ("get gateways", 'error: the server doesn\'t have a resource type "gateways"'),
    ],
)
def test_without_a_cluster_or_its_kinds_nothing_blocks(tmp_path: Path, fails: str, says: str) -> None:
    ran = run(tmp_path, "deploy", "dev", "0.2.0", fails=f"{fails}#1", variables={"SAYS": says})
    assert ran.done.returncode == 0, ran.done.stderr
    assert "deploying the workloads first" not in ran.done.stdout


def test_a_private_cluster_that_cannot_be_asked_says_so(tmp_path: Path) -> None:
    prod = own((ROOT / "environments" / "prod.toml").read_text(encoding="utf-8")).replace(
        'mode = "gateway"', 'mode = "nginx"'
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
def test_a_change_checks_the_secrets_of_the_pods_first(tmp_path: Path, more: str, missing: str) -> None:
    there, variables = {"get gateways": "gateway/kaito-chat"}, environment(tmp_path, DEV + more)
    ran = run(tmp_path, "deploy", "dev", "0.2.0", fails=missing, answers=there, variables=variables)
    assert (ran.done.returncode, starting(ran, "cdk deploy")) == (1, [])
    failed = run(tmp_path, "deploy", "dev", "0.2.0", fails="cdk deploy", answers=there, variables=variables)
    assert "may need the platform first" in failed.done.stderr
