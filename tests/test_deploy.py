"""Deploying and destroying, step by step, with stand-ins for whatever needs Azure or a cluster."""

import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aks_kaito import chart_values
from conftest import ROOT
from stand_ins import DIGEST, NAMES, Ran, deploy, prepare

DEV = (ROOT / "environments" / "dev.toml").read_text(encoding="utf-8")
PLATFORM = "cdk deploy kaito-dev-platform --auto-approve"
WORKLOADS = "cdk deploy kaito-dev-workloads --auto-approve"


def environment(folder: Path, text: str, name: str = "dev") -> dict[str, str]:
    """The variables that select a folder with one environment of this text."""
    place = folder / "environments"
    place.mkdir(exist_ok=True)
    (place / f"{name}.toml").write_text(text, encoding="utf-8")
    return {"AKS_KAITO_ENVIRONMENTS_DIR": str(place)}


def starting(ran: Ran, *words: str) -> list[str]:
    """The commands that begin so."""
    return [line for line in ran.lines if line.startswith(words)]


def placed(ran: Ran) -> list[str]:
    """All that was asked, in words, whatever folder the kubeconfig lay in."""
    return [re.sub(r"/\S+/kubeconfig", "KUBECONFIG", line) for line in ran.lines]


GROUP = "rg-kaito-dev-westeurope"
SIGNED_IN = [
    f"az aks get-credentials --resource-group {GROUP} --name aks-kaito-dev-westeurope --file KUBECONFIG",
    "kubelogin convert-kubeconfig --kubeconfig KUBECONFIG --login azurecli",
]
IN_CLUSTER = "kubectl --kubeconfig KUBECONFIG --namespace kaito-chat"
A_GATEWAY = "get gateways.gateway.networking.k8s.io kaito-chat --ignore-not-found --namespace kaito-chat --output name"
RUNNING = f"{IN_CLUSTER} get deployment kaito-chat --output jsonpath={{.spec.template.spec.containers[0].image}}"
IN_POD = (
    f"{IN_CLUSTER} exec deployment/kaito-chat -- python -m kaito_chat.probe --chat http://127.0.0.1:8000 --timeout 2700"
)
FIND = "az acr repository show --name crkaitodev6f10b7 --image kaito-chat:0.2.0 --query digest --output tsv"


def test_everything_in_its_order_and_to_the_letter(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "dev", "0.2.0")
    assert ran.done.returncode == 0, ran.done.stderr
    grafana = f"--name amg-kaito-dev-6f10 --resource-group {GROUP}"
    assert placed(ran) == [
        f"az aks show --name aks-kaito-dev-westeurope --resource-group {GROUP} --query name --output tsv",
        *SIGNED_IN,
        f"kubectl --kubeconfig KUBECONFIG --request-timeout=15s {A_GATEWAY}",
        f"{PLATFORM} --ignore-missing-stack-dependencies",
        *SIGNED_IN,
        FIND,
        "az acr build --registry crkaitodev6f10b7 --image kaito-chat:0.2.0 app",
        FIND,
        f"{WORKLOADS} --ignore-missing-stack-dependencies",
        RUNNING,
        *(
            f"az grafana dashboard create {grafana} --definition @charts/kaito-chat/files/dashboards/{name}.json "
            "--overwrite true --output none"
            for name in ("chat", "gpu", "vllm")
        ),
        f"az grafana show {grafana} --query properties.endpoint --output tsv",
        IN_POD,
    ]
    for each in ran.variables:
        assert (each["PWD"], each["AZURE_EXTENSION_USE_DYNAMIC_INSTALL"]) == (str(ROOT), "yes_without_prompt")
        assert each["AKS_KAITO_ENV"] == "dev"


def test_the_image_is_pinned_in_words_that_can_be_typed(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "dev", "0.2.0")
    variables = ran.variables[ran.steps.index(WORKLOADS)]
    assert (variables["TF_VAR_chat_image_tag"], variables["TF_VAR_chat_image_digest"]) == ("0.2.0", DIGEST)
    typed = f"AKS_KAITO_ENV=dev TF_VAR_chat_image_tag=0.2.0 TF_VAR_chat_image_digest={DIGEST} cdk deploy"
    assert typed in ran.done.stdout


def test_nobodys_own_kubeconfig_is_touched(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "dev", "0.2.0", variables={"KUBECONFIG": "/somebodys/own"})
    place = next(index for index, line in enumerate(ran.lines) if "get-credentials" in line)
    assert ran.variables[place]["KUBECONFIG"] == ran.lines[place].rpartition(" ")[2].replace("kubeconfig", "unused")


def test_it_ends_with_addresses_and_what_to_expect(tmp_path: Path) -> None:
    said = deploy(tmp_path, "up", "dev", "0.2.0").done.stdout
    assert "port-forward service/kaito-chat 8000:80" in said
    assert "Grafana: https://grafana.example.com" in said
    assert "about twenty minutes" in said
    assert "az vm list-usage --location westeurope" in said
    place = f"--resource-group {GROUP} --name aks-kaito-dev-westeurope"
    assert f"az aks get-credentials {place} && kubelogin convert-kubeconfig --login azurecli" in said


def test_what_is_published_gets_a_message_by_its_address(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "sample", "0.2.0")
    assert ran.done.returncode == 0, ran.done.stderr
    assert starting(ran, "probe") == ["probe --chat https://chainlit.babosbird.com --reach 900 --timeout 2700"]
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
    for chosen in (variables, {"ARM_SUBSCRIPTION_ID": subscription}):
        asked = starting(deploy(tmp_path, "up", "dev", "0.2.0", variables=chosen), "az ")
        assert asked
        assert all(f"--subscription {subscription}" in line for line in asked)


SIGN_IN = """
[ingress]
hostname = "chat.kaito.invalid"
[chat]
sign_in = "entra"
entra_client_id = "11111111-2222-3333-4444-555555555555"
"""


GUARDED = """
dns_zone_name = "kaito.invalid"
dns_zone_resource_group_name = "dns"
hostname = "chat.kaito.invalid"
model_hostname = "model.kaito.invalid"
model_basic_auth_secret_name = "model-people"
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


def test_where_people_sign_in_the_models_are_asked_in_the_pod(tmp_path: Path) -> None:
    inside = "exec deployment/kaito-chat -- python -m kaito_chat.probe"
    ran = deploy(tmp_path, "up", "dev", "0.2.0", variables=environment(tmp_path, DEV + SIGN_IN))
    assert ran.lines[-1].endswith(f"{inside} --chat http://127.0.0.1:8000 --models --reach 2700 --timeout 2700")
    zone = 'dns_zone_name = "kaito.invalid"\ndns_zone_resource_group_name = "dns"\n[chat]'
    with_record = DEV + SIGN_IN.replace("[chat]", zone)
    ran = deploy(tmp_path, "up", "dev", "0.2.0", variables=environment(tmp_path, with_record))
    assert [line.partition(" ")[0] for line in ran.lines[-2:]] == ["probe", "kubectl"]
    assert ran.lines[-1].endswith(f"{inside} --models --reach 2700 --timeout 2700")


def test_a_password_that_is_not_there_would_stop_nginx(tmp_path: Path) -> None:
    variables = environment(tmp_path, f"{DEV}\n[ingress]\n{GUARDED}")
    failed = deploy(tmp_path, "up", "dev", "0.2.0", fails="get secret model-people", variables=variables)
    assert failed.done.returncode == 1
    assert "find the Secret model-people" in failed.done.stderr
    assert "publish it once the chat is deployed" in failed.done.stderr
    assert not starting(failed, "cdk deploy kaito-dev-workloads")
    assert deploy(tmp_path, "up", "dev", "0.2.0", variables=variables).done.returncode == 0


def test_an_image_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    deploy(tmp_path, "up", "dev", "0.2.0")
    again = deploy(tmp_path, "up", "dev", "0.2.0")
    assert not starting(again, "az acr build")
    assert again.variables[again.steps.index(WORKLOADS)]["TF_VAR_chat_image_digest"] == DIGEST


@pytest.mark.parametrize(
    ("name", "fails"),
    [
        ("dev", "aks show"),
        ("dev", "get gateways"),
        ("dev", "kaito-dev-platform"),
        ("dev", "get-credentials#2"),
        ("dev", "get-credentials"),
        ("dev", "convert-kubeconfig"),
        ("dev", "acr repository show"),
        ("dev", "acr build"),
        ("dev", "acr repository show#2"),
        ("dev", "kaito-dev-workloads"),
        ("dev", "get deployment"),
        ("dev", "dashboards/vllm.json"),
        ("dev", "kaito_chat.probe"),
        ("sample", "probe --chat"),
        ("prod", "acr login --name crkaitoprod6f10b7#2"),
        ("prod", "docker build"),
        ("prod", "docker push"),
    ],
)
def test_the_first_failure_ends_it_and_it_goes_on_from_there(
    tmp_path: Path, name: str, fails: str, api_server: str
) -> None:
    inside = {"aks show": api_server}
    failed = deploy(tmp_path, "up", name, "0.2.0", fails=fails, answers=inside)
    assert failed.done.returncode == 1
    assert fails.partition("#")[0] in failed.lines[-1]
    assert "ended with exit status 7" in failed.done.stderr
    assert f"Next:   make deploy ENV={name} TAG=0.2.0" in failed.done.stderr
    assert "Traceback" not in failed.done.stderr
    again = deploy(tmp_path, "up", name, "0.2.0", answers=inside)
    assert again.done.returncode == 0, again.done.stderr
    assert f"cdk deploy kaito-{name}-workloads" in " ".join(again.lines)


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
    ran = deploy(tmp_path, "up", "dev", "0.2.0", answers={there: "something/there"}, variables=variables)
    assert ran.done.returncode == 0, ran.done.stderr
    stacks = [line.split()[2].removeprefix("kaito-dev-") for line in starting(ran, "cdk deploy")]
    assert stacks == (["workloads"] if first == "workloads" else []) + ["platform", "workloads"]
    assert ("is still there: the workloads go first" in ran.done.stdout) == (first == "workloads")


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        ("aks show", "Message: Resource group 'rg-kaito-dev-westeurope' could not be found."),
        ("get gateways", 'error: the server doesn\'t have a resource type "gateways"'),
    ],
)
def test_where_there_is_nothing_yet_nothing_is_in_use(tmp_path: Path, fails: str, says: str) -> None:
    ran = deploy(tmp_path, "up", "dev", "0.2.0", fails=f"{fails}#1", variables={"SAYS": says})
    assert ran.done.returncode == 0, ran.done.stderr
    assert "the workloads go first" not in ran.done.stdout


def test_a_private_cluster_that_cannot_be_asked_says_so(tmp_path: Path) -> None:
    prod = (
        (ROOT / "environments" / "prod.toml").read_text(encoding="utf-8").replace('mode = "gateway"', 'mode = "nginx"')
    )
    ran = deploy(tmp_path, "up", "prod", "0.2.0", variables=environment(tmp_path, prod, "prod"))
    assert ran.done.returncode == 3
    assert "nobody knows whether the Gateway is still there" in ran.done.stdout
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
    ran = deploy(tmp_path, "up", "dev", "0.2.0", fails=missing, answers=there, variables=variables)
    assert (ran.done.returncode, starting(ran, "cdk deploy")) == (1, [])
    failed = deploy(tmp_path, "up", "dev", "0.2.0", fails="cdk deploy", answers=there, variables=variables)
    assert "what else was changed with it may want the platform first" in failed.done.stderr


def test_an_address_that_cannot_be_found_ends_it_and_grafanas_does_not(tmp_path: Path) -> None:
    text = f'{DEV}\n[ingress]\nhostname = "chat.kaito.invalid"\n'
    failed = deploy(tmp_path, "up", "dev", "0.2.0", fails="public-ip show", variables=environment(tmp_path, text))
    assert (failed.done.returncode, "find the address" in failed.done.stderr) == (1, True)
    done = deploy(tmp_path, "up", "dev", "0.2.0", fails="grafana show")
    assert (done.done.returncode, "Grafana: az grafana show --name" in done.done.stdout) == (0, True)


def test_what_was_released_alone_since_does_not_stay(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "main.py"], cwd=ROOT, check=True, capture_output=True, timeout=120)
    other = {"RUNS": "sha256:" + "b" * 64, "HELM_BIN": str(tmp_path / "helm")}
    ran = deploy(tmp_path, "up", "dev", "0.2.0", variables=other)
    assert ran.done.returncode == 0, ran.done.stderr
    place = placed(ran).index(RUNNING)
    assert placed(ran)[place + 1] == "helm version --short"
    upgrade = ran.asked[place + 2]
    assert upgrade[:4] == ["helm", "upgrade", "--install", "kaito-chat"]
    assert {"chat.image.tag=", f"chat.image.digest={DIGEST}", "--reset-then-reuse-values"} <= set(upgrade)
    failed = deploy(tmp_path, "up", "dev", "0.2.0", variables=other, fails="helm upgrade")
    assert (failed.done.returncode, "upgrade the release" in failed.done.stderr) == (1, True)


def test_a_failure_that_was_asked_quietly_says_why(tmp_path: Path) -> None:
    (tmp_path / "built").touch()
    failed = deploy(tmp_path, "up", "dev", "0.2.0", fails="acr ")
    assert failed.done.returncode == 1
    assert "it was told to fail" in failed.done.stderr
    # What is wrong is not that the tag is missing: nothing may take its place.
    assert not starting(failed, "az acr build")


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    failed = deploy(tmp_path, "up", "dev", "0.2.0", variables={"CDK_CLI": "no-such-program"})
    assert failed.done.returncode == 1
    assert "deploy the platform: no-such-program is not installed" in failed.done.stderr
    (tmp_path / "plain").touch()
    failed = deploy(tmp_path, "up", "dev", "0.2.0", variables={"CDK_CLI": str(tmp_path / "plain")})
    assert (failed.done.returncode, "cannot be started: Permission denied" in failed.done.stderr) == (1, True)


def stopped(folder: Path, tool: str, word: str, stop: Callable[[int], None]) -> tuple[int, str]:
    """How a tool ends, and what it says, that is stopped while a program works whose command has this word."""
    variables = prepare(folder, variables={"SLEEPS": word, "HELM_BIN": str(folder / "helm")})
    (folder / "built").touch()
    arguments = ["up"] if tool == "deploy" else []
    command = [sys.executable, str(ROOT / "tools" / f"{tool}.py"), *arguments, "dev", "0.2.0"]
    # A group of its own, as a terminal gives.
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    assert process.stdout is not None
    while process.stdout.readline() != "begun\n":
        assert process.poll() is None
    stop(process.pid)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


def press(process: int) -> None:
    os.killpg(process, signal.SIGINT)


def press_twice(process: int) -> None:
    press(process)
    time.sleep(0.4)
    press(process)


def cancel(process: int) -> None:
    """As GitLab does, to the group; and as GitHub does, first one signal and then another."""
    os.killpg(process, signal.SIGTERM)
    time.sleep(0.4)
    os.kill(process, signal.SIGTERM)


@pytest.mark.parametrize(("stop", "told"), [(press, "1"), (press_twice, "2"), (cancel, "1")])
def test_what_stops_it_lets_terraform_write_its_state(tmp_path: Path, stop: Callable[[int], None], told: str) -> None:
    status, said = stopped(tmp_path, "deploy", "kaito-dev-platform", stop)
    assert (tmp_path / "ended").read_text() == told
    assert status == 1
    assert "Stopped. Go on with: make deploy ENV=dev TAG=0.2.0" in said
    assert "Traceback" not in said


def test_make_passes_on_what_stops_it(tmp_path: Path) -> None:
    make = shutil.which("make") or pytest.skip("needs make (package: make)")
    variables = prepare(tmp_path, variables={"SLEEPS": "kaito-dev-platform"})
    variables = {key: value for key, value in variables.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    # make puts its own kubectl before our stand-in, and that finds no cluster; for mode gateway, none is asked.
    variables |= environment(tmp_path, f'{DEV}\n[ingress]\nmode = "gateway"\n')
    process = subprocess.Popen(
        [make, "deploy", "ENV=dev", "TAG=0.2.0"],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    while process.stdout.readline() != "begun\n":
        assert process.poll() is None
    process.terminate()
    process.communicate(timeout=20)
    assert (tmp_path / "ended").read_text() == "1"


def test_a_closed_terminal_lets_terraform_write_its_state(tmp_path: Path) -> None:
    variables = prepare(tmp_path, variables={"SLEEPS": "kaito-dev-platform"})
    command = [sys.executable, str(ROOT / "tools" / "deploy.py"), "up", "dev", "0.2.0"]
    ours, its = pty.openpty()
    # The terminal is its own, so that whoever closes it tells it.
    process = subprocess.Popen(
        ["/usr/bin/setsid", "--ctty", "--wait", *command], env=variables, stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    said = b""
    while b"begun" not in said:
        said += os.read(ours, 4096)
    os.close(ours)
    process.wait(20)
    assert (tmp_path / "ended").read_text() == "1"


def test_a_key_that_stops_a_release_lets_helm_take_it_back(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "main.py"], cwd=ROOT, check=True, capture_output=True, timeout=120)
    status, said = stopped(tmp_path, "release", "--install", press)
    assert (tmp_path / "ended").read_text() == "1"
    assert (status, said.strip()) == (1, "Stopped.")


@pytest.mark.parametrize("program", ["az", "kubectl", "kubelogin", "terraform"])
def test_what_is_missing_is_said_before_anything_is_begun(tmp_path: Path, program: str) -> None:
    for name in NAMES:
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / program).unlink()
    command = [sys.executable, str(ROOT / "tools" / "deploy.py"), "up", "dev", "0.2.0"]
    variables = {**os.environ, "PATH": str(tmp_path)}
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"{program} is not installed: docs/deploy.md, What is needed\n"


def test_a_private_environment_goes_on_inside_its_network(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "up", "prod", "0.2.0", fails="acr login")
    assert ran.done.returncode == 3
    assert ran.lines == [
        "cdk deploy kaito-prod-platform --auto-approve --ignore-missing-stack-dependencies",
        "az acr login --name crkaitoprod6f10b7 --expose-token --output none",
        (
            "az aks show --name aks-kaito-prod-westeurope --resource-group rg-kaito-prod-westeurope "
            "--query privateFqdn || fqdn --output tsv"
        ),
    ]
    said = ran.done.stderr
    assert "  crkaitoprod6f10b7.azurecr.io (it was told to fail)\n  127.0.0.1 (" in said
    assert "az extension add --name ssh" in said
    assert "make deploy ENV=prod TAG=0.2.0" in said
    assert "az network bastion ssh --resource-group rg-kaito-prod-westeurope" in said
    assert "az aks command invoke" in said
    assert "terraform.kaito-prod-platform.tfstate" in said


def test_what_is_printed_for_inside_names_subscription_and_a_way_that_works(tmp_path: Path) -> None:
    prod = (ROOT / "environments" / "prod.toml").read_text(encoding="utf-8")
    assert 'sku = "Standard"' in prod.partition("[bastion]")[2].partition("[")[0]
    head, _, rest = prod.partition("[bastion]")
    variables = environment(tmp_path, head + "[bastion]" + rest.replace('sku = "Standard"\n', "", 1), "prod")
    variables["ARM_SUBSCRIPTION_ID"] = "11111111-2222-3333-4444-555555555555"
    said = deploy(tmp_path, "up", "prod", "0.2.0", fails="acr login", variables=variables).done.stderr
    assert f"  ARM_SUBSCRIPTION_ID={variables['ARM_SUBSCRIPTION_ID']} make deploy ENV=prod TAG=0.2.0\n" in said
    # The cheapest Bastion has no tunnel.
    assert "bastion ssh" not in said
    assert "In the portal, the virtual machine vm-kaito-prod, Connect, Bastion" in said


@pytest.fixture
def api_server() -> Iterator[str]:
    """The address of something that can be connected to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_inside_its_network_a_private_environment_builds_its_own_image(tmp_path: Path, api_server: str) -> None:
    ran = deploy(tmp_path, "up", "prod", "0.2.0", answers={"aks show": api_server})
    assert ran.done.returncode == 0, ran.done.stderr
    image = "crkaitoprod6f10b7.azurecr.io/kaito-chat:0.2.0"
    assert starting(ran, "docker", "az acr login") == [
        "az acr login --name crkaitoprod6f10b7 --expose-token --output none",
        "docker info",
        f"docker build --platform linux/amd64 --tag {image} .",
        "az acr login --name crkaitoprod6f10b7",
        f"docker push {image}",
    ]
    assert ran.variables[ran.lines.index("az acr login --name crkaitoprod6f10b7")]["DOCKER_COMMAND"] == "docker"
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


def test_what_is_private_is_destroyed_from_inside_where_it_has_to_be(tmp_path: Path) -> None:
    outside = deploy(tmp_path, "down", "prod", "prod", fails="destroy kaito-prod-workloads")
    assert outside.done.returncode == 3
    assert "make destroy ENV=prod CONFIRM=prod" in outside.done.stderr
    assert not starting(outside, "cdk destroy kaito-prod-platform")
    # Once the workloads are gone, neither registry nor API server is needed.
    assert deploy(tmp_path, "down", "prod", "prod", fails="acr ").done.returncode == 0
    # A cluster that is gone hides nothing: what failed is something else.
    gone = deploy(tmp_path, "down", "prod", "prod", fails="prod-w", answers={"aks show": ""})
    assert (gone.done.returncode, "exit status 7" in gone.done.stderr) == (1, True)


def test_the_jump_box_does_not_destroy_itself(tmp_path: Path) -> None:
    variables = {"PYTHONPATH": str(named_as(tmp_path, "vm-kaito-dev"))}
    ran = deploy(tmp_path, "down", "dev", "dev", variables=variables)
    assert (ran.done.returncode, starting(ran, "cdk destroy kaito-dev-platform")) == (3, [])
    assert "destroyed from outside" in ran.done.stderr


def named_as(folder: Path, name: str) -> Path:
    """A folder for PYTHONPATH in which this machine has another name."""
    (folder / "sitecustomize.py").write_text(
        f"import socket\nsocket.gethostname = lambda: {name!r}\n", encoding="utf-8"
    )
    return folder


def test_settings_that_leave_something_out(tmp_path: Path) -> None:
    text = f"{DEV}grafana_public_network_access_enabled = false\n[kaito]\nenabled = false\n"
    text += '[openai]\nenabled = true\n[openai.deployments.chat]\nmodel = "gpt-4o"\nversion = "2024-11-20"\n'
    ran = deploy(tmp_path, "up", "dev", "0.2.0", variables=environment(tmp_path, text))
    assert ran.done.returncode == 0, ran.done.stderr
    assert not starting(ran, "az grafana dashboard")
    assert "Grafana has no public address" in ran.done.stdout
    assert "twenty minutes" not in ran.done.stdout
    failed = deploy(tmp_path, "up", "dev", "0.2.0", variables=environment(tmp_path, text), fails="kaito_chat.probe")
    assert "Look:   az aks get-credentials" in failed.done.stderr
    assert "\n        kubectl --namespace kaito-chat describe pods\n" in failed.done.stderr


def test_state_in_a_blob_need_not_be_carried(tmp_path: Path) -> None:
    prod = (ROOT / "environments" / "prod.toml").read_text(encoding="utf-8")
    blob = '[state]\nbackend = "azurerm"\nresource_group_name = "states"\nstorage_account_name = "states123"\n'
    text = prod.replace("private_cluster_enabled = true", "private_cluster_enabled = true\nrun_command_enabled = false")
    ran = deploy(
        tmp_path, "up", "prod", "0.2.0", fails="acr login", variables=environment(tmp_path, f"{text}\n{blob}", "prod")
    )
    assert ran.done.returncode == 3
    assert "tfstate" not in ran.done.stderr
    assert "aks command invoke" not in ran.done.stderr


def test_a_host_of_app_routings_is_found_in_the_cluster(tmp_path: Path) -> None:
    text = f'{DEV}\n[ingress]\nmode = "webapprouting"\nhostname = "chat.kaito.invalid"\n'
    said = deploy(tmp_path, "up", "dev", "0.2.0", variables=environment(tmp_path, text)).done.stdout
    assert "once an A record leads to the address of: kubectl --namespace kaito-chat get ingress" in said


@pytest.mark.parametrize("variable", ["CDK_CLI", "CHAT_PROBE"])
def test_a_variable_that_is_no_command_is_refused(tmp_path: Path, variable: str) -> None:
    ran = deploy(tmp_path, "up", "dev", "0.2.0", variables={variable: "'x"})
    assert (ran.done.returncode, ran.asked) == (2, [])
    assert ran.done.stderr == f"""{variable}="'x": must be a command: No closing quotation\n"""


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


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("deploy", "ENV=dev", "TAG=a b"), "TAG='a b'"),
        (("deploy", "ENV=nowhere", "TAG=0.2.0"), "nowhere.toml"),
        (("destroy", "ENV=dev"), "CONFIRM='': must be 'dev'"),
    ],
)
def test_make_hands_over_what_it_was_asked(asked: tuple[str, ...], words: str) -> None:
    make = shutil.which("make") or pytest.skip("needs make (package: make)")
    variables = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    ran = subprocess.run(
        [make, *asked], cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode == 2
    assert words in ran.stderr
