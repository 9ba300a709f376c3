"""Deploying and destroying, step by step, with stand-ins for whatever needs Azure or a cluster."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from aks_kaito import chart_values
from conftest import ROOT
from stand_ins import DIGEST, Ran, deploy

DEV = (ROOT / "environments" / "dev.toml").read_text(encoding="utf-8")
PLATFORM = "cdk deploy kaito-dev-platform --auto-approve"
WORKLOADS = "cdk deploy kaito-dev-workloads --auto-approve"
DASHBOARDS = ["az grafana dashboard create"] * 3
IN_POD = [
    "az aks get-credentials --resource-group",
    "kubelogin convert-kubeconfig --kubeconfig",
    "kubectl --kubeconfig",
]


def environment(folder: Path, text: str, name: str = "dev") -> dict[str, str]:
    """The variables that select a folder with one environment of this text."""
    place = folder / "environments"
    place.mkdir(exist_ok=True)
    (place / f"{name}.toml").write_text(text, encoding="utf-8")
    return {"AKS_KAITO_ENVIRONMENTS_DIR": str(place)}


def starting(ran: Ran, *words: str) -> list[str]:
    """The commands that begin so."""
    return [line for line in ran.lines if line.startswith(words)]


def test_everything_in_its_order(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "dev", "0.2.0")
    assert ran.done.returncode == 0, ran.done.stderr
    assert [step.removesuffix(" ").rsplit(" /", 1)[0] for step in ran.steps] == [
        PLATFORM,
        "az acr repository show",
        "az acr build --registry",
        "az acr repository show",
        WORKLOADS,
        *DASHBOARDS,
        "az grafana show --name",
        *IN_POD,
    ]
    assert ran.variables[ran.steps.index(WORKLOADS)] == {
        "AKS_KAITO_ENV": "dev",
        "TF_VAR_chat_image_tag": "0.2.0",
        "TF_VAR_chat_image_digest": DIGEST,
    }


def test_each_stack_is_deployed_alone(tmp_path: Path) -> None:
    stacks = starting(deploy(tmp_path, "up", "dev", "0.2.0"), "cdk")
    assert all(line.endswith("--ignore-missing-stack-dependencies") for line in stacks)


def test_it_ends_with_addresses_and_what_to_expect(tmp_path: Path) -> None:
    said = deploy(tmp_path, "up", "dev", "0.2.0").done.stdout
    assert "port-forward service/kaito-chat 8000:80" in said
    assert "Grafana: https://grafana.example.com" in said
    assert "about twenty minutes" in said
    assert "az vm list-usage --location westeurope" in said


def test_every_dashboard_of_the_chart_is_brought_to_grafana(tmp_path: Path) -> None:
    brought = starting(deploy(tmp_path, "up", "dev", "0.2.0"), "az grafana dashboard")
    files = sorted((ROOT / "charts" / "kaito-chat" / "files" / "dashboards").glob("*.json"))
    assert [line.partition("--definition @")[2].split()[0] for line in brought] == [
        str(path.relative_to(ROOT)) for path in files
    ]
    assert all("--overwrite true" in line for line in brought)


def test_what_is_not_published_gets_a_message_in_its_own_pod(tmp_path: Path) -> None:
    (asked,) = starting(deploy(tmp_path, "up", "dev", "0.2.0"), "kubectl")
    inside = "exec deployment/kaito-chat -- python -m kaito_chat.probe --chat http://127.0.0.1:8000"
    assert f"--namespace kaito-chat {inside}" in asked


def test_what_is_published_gets_a_message_by_its_address(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "sample", "0.2.0")
    assert ran.done.returncode == 0, ran.done.stderr
    (asked,) = starting(ran, "probe")
    assert asked.startswith("probe --chat https://chainlit.babosbird.com --reach 900")
    assert "Chat:    https://chainlit.babosbird.com\n" in ran.done.stdout


def test_a_host_without_a_record_is_told_where_to_lead(tmp_path: Path) -> None:
    text = f'{DEV}\n[ingress]\nhostname = "chat.kaito.invalid"\n'
    ran = deploy(tmp_path, "up", "dev", "0.2.0", variables=environment(tmp_path, text))
    assert ran.done.returncode == 0, ran.done.stderr
    assert "https://chat.kaito.invalid, once an A record leads to 52.174.1.2" in ran.done.stdout
    assert starting(ran, "kubectl")
    assert not starting(ran, "probe")


def test_a_subscription_of_the_file_is_the_one_that_is_asked(tmp_path: Path) -> None:
    subscription = "11111111-2222-3333-4444-555555555555"
    variables = environment(tmp_path, f'subscription_id = "{subscription}"\n{DEV}')
    asked = starting(deploy(tmp_path, "up", "dev", "0.2.0", variables=variables), "az ")
    assert asked
    assert all(f"--subscription {subscription}" in line for line in asked)


SIGN_IN = """
[ingress]
hostname = "chat.kaito.invalid"
[chat]
sign_in = "entra"
entra_client_id = "11111111-2222-3333-4444-555555555555"
"""


def test_sign_in_looks_for_its_secrets_before_anything_needs_them(tmp_path: Path) -> None:
    variables = environment(tmp_path, DEV + SIGN_IN)
    failed = deploy(tmp_path, "up", "dev", "0.2.0", fails="secrets/chat-entra-client-secret", variables=variables)
    assert failed.done.returncode == 1
    assert not starting(failed, "cdk deploy kaito-dev-workloads")
    assert "find the secret chat-entra-client-secret" in failed.done.stderr
    assert "az keyvault secret set --vault-name kv-kaito-dev-6f10b7" in failed.done.stderr
    done = deploy(tmp_path, "up", "dev", "0.2.0", variables=variables)
    assert done.done.returncode == 0, done.done.stderr
    assert len(starting(done, "az rest")) == len(chart_values.SECRETS)


def test_an_image_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    deploy(tmp_path, "up", "dev", "0.2.0")
    again = deploy(tmp_path, "up", "dev", "0.2.0")
    assert not starting(again, "az acr build")
    assert again.variables[again.steps.index(WORKLOADS)]["TF_VAR_chat_image_digest"] == DIGEST


@pytest.mark.parametrize(
    "fails",
    [
        "kaito-dev-platform",
        "acr build",
        "kaito-dev-workloads",
        "dashboards/vllm.json",
        "get-credentials",
        "convert-kubeconfig",
        "kaito_chat.probe",
    ],
)
def test_the_first_failure_ends_it_and_it_goes_on_from_there(tmp_path: Path, fails: str) -> None:
    failed = deploy(tmp_path, "up", "dev", "0.2.0", fails=fails)
    assert failed.done.returncode == 1
    assert fails in failed.lines[-1]
    assert "ended with exit status 7" in failed.done.stderr
    assert "Next:   make deploy ENV=dev TAG=0.2.0" in failed.done.stderr
    assert "Traceback" not in failed.done.stderr
    assert deploy(tmp_path, "up", "dev", "0.2.0").done.returncode == 0


def test_a_failure_that_was_asked_quietly_says_why(tmp_path: Path) -> None:
    (tmp_path / "built").touch()
    failed = deploy(tmp_path, "up", "dev", "0.2.0", fails="acr ")
    assert failed.done.returncode == 1
    assert "it was told to fail" in failed.done.stderr


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    failed = deploy(tmp_path, "up", "dev", "0.2.0", variables={"CDK_CLI": "no-such-program"})
    assert failed.done.returncode == 1
    assert "deploy the platform: no-such-program is not installed" in failed.done.stderr


def test_a_private_environment_goes_on_inside_its_network(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "prod", "0.2.0", fails="acr login")
    assert ran.done.returncode == 3
    assert ran.steps == [
        "cdk deploy kaito-prod-platform --auto-approve",
        "az acr login --name",
        "az aks show --name",
    ]
    said = ran.done.stderr
    assert "these do not answer: crkaitoprod6f10b7.azurecr.io, 127.0.0.1." in said
    assert "make deploy ENV=prod TAG=0.2.0" in said
    assert "az network bastion ssh --resource-group rg-kaito-prod-westeurope" in said
    assert "az aks command invoke" in said
    assert "terraform.kaito-prod-*.tfstate" in said


@pytest.fixture
def api_server() -> Iterator[str]:
    """The address of something that can be connected to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_inside_its_network_a_private_environment_builds_its_own_image(tmp_path: Path, api_server: str) -> None:
    ran = deploy(tmp_path, "up", "prod", "0.2.0", answers={"aks show": api_server})
    assert ran.done.returncode == 0, ran.done.stderr
    image = "crkaitoprod6f10b7.azurecr.io/kaito-chat:0.2.0"
    assert starting(ran, "docker") == ["docker info", f"docker build --tag {image} .", f"docker push {image}"]
    assert not starting(ran, "az acr build")
    assert starting(ran, "cdk deploy kaito-prod-workloads")


def test_the_workloads_go_first(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "down", "dev", "dev")
    assert ran.steps == [
        "cdk destroy kaito-dev-workloads --auto-approve",
        "cdk destroy kaito-dev-platform --auto-approve",
    ]
    assert "kv-kaito-dev-6f10b7" in ran.done.stdout


@pytest.mark.parametrize("part", ["workloads", "platform"])
def test_what_is_left_can_be_destroyed_later(tmp_path: Path, part: str) -> None:
    failed = deploy(tmp_path, "down", "dev", "dev", fails=part)
    assert (failed.done.returncode, part in failed.lines[-1]) == (1, True)
    assert "Next:   make destroy ENV=dev CONFIRM=dev" in failed.done.stderr
    assert deploy(tmp_path, "down", "dev", "dev").done.returncode == 0


def test_a_private_environment_is_destroyed_from_inside_unless_its_cluster_is_gone(tmp_path: Path) -> None:
    outside = deploy(tmp_path, "down", "prod", "prod")
    assert (outside.done.returncode, starting(outside, "cdk")) == (3, [])
    assert "make destroy ENV=prod CONFIRM=prod" in outside.done.stderr
    assert deploy(tmp_path, "down", "prod", "prod", fails="aks show").done.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "usage: make deploy"),
        (("sideways", "dev", "0.2.0"), "usage: make deploy"),
        (("up", "dev", "a b"), "TAG='a b'"),
        (("up", "dev", ""), "TAG=''"),
        (("up", "nowhere", "0.2.0"), "nowhere.toml"),
        (("down", "dev", ""), "CONFIRM='': must be 'dev'"),
        (("down", "dev", "prod"), "CONFIRM='prod'"),
    ],
)
def test_what_cannot_be_begun_is_refused(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ran = deploy(tmp_path, *arguments)
    assert (ran.done.returncode, ran.asked) == (2, [])
    assert words in ran.done.stderr
