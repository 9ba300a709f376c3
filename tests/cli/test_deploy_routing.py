"""Routing by load at the end of a deployment, and when the Gateway API is switched off."""

from pathlib import Path

import pytest

from aks_kaito_cli.deploy.routing import sentence
from support.stand_ins import DEV, environment, run, starting

ROUTED = f"""{DEV}
[kaito]
distribution = "helm"
version = "0.12.0"
routing = "gateway"
"""
API = "[cluster]\ngateway_api_enabled = true\n"


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ("", "there are no pools of models yet; if that lasts"),
        ("phi Accepted=True ResolvedRefs=True\nllama ResolvedRefs=True Accepted=True\n", "has taken the pools"),
        ("phi\n", 'has not taken phi yet; if that lasts, set kaito.routing = "service"'),
        ("phi Accepted=False ResolvedRefs=True", "has not taken phi yet"),
        ("a Accepted=True\nb Accepted=True ResolvedRefs=True\nc Accepted=Unknown", "has not taken a, c yet"),
    ],
)
def test_a_pool_counts_as_taken_with_both_conditions(pools: str, words: str) -> None:
    assert words in sentence(pools)


def test_the_report_says_whether_the_gateway_routes(tmp_path: Path) -> None:
    variables = environment(tmp_path, ROUTED.replace("[cluster]\n", API))
    answers = {"get inferencepools": "phi Accepted=True ResolvedRefs=True"}
    ran = run(tmp_path, "deploy", "dev", "0.2.0", answers=answers, variables=variables)
    assert ran.done.returncode == 0, ran.done.stderr
    assert "Routing: the Gateway has taken the pools of the models, and routes by load" in ran.done.stdout
    # The chat's own Gateway alone would be in the way.
    (gateways,) = [line for line in ran.lines if "get gateways" in line]
    assert "kaito-chat --ignore-not-found" in gateways


def test_pools_that_cannot_be_read_fail_nothing(tmp_path: Path) -> None:
    variables = environment(tmp_path, ROUTED.replace("[cluster]\n", API))
    ran = run(tmp_path, "deploy", "dev", "0.2.0", fails="get inferencepools", variables=variables)
    assert ran.done.returncode == 0, ran.done.stderr
    assert "the pools of the models are unknown (it was told to fail); read them with: kubectl" in ran.done.stdout


def test_the_gateway_goes_before_its_controller(tmp_path: Path) -> None:
    ran = run(tmp_path, "deploy", "dev", "0.2.0", answers={"get gateways": "gateway/kaito-chat-models"})
    assert ran.done.returncode == 0, ran.done.stderr
    stacks = [line.split()[2].removeprefix("kaito-dev-") for line in starting(ran, "cdk deploy")]
    assert stacks == ["workloads", "platform", "workloads"]
    assert "the settings support the Gateway no longer" in ran.done.stdout
    assert "Routing:" not in ran.done.stdout
