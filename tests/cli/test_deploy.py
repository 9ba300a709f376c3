"""Deploying step by step, with stand-ins for the programs that need Azure or a cluster."""

import re
from pathlib import Path

import pytest

from aks_kaito.charts.names import SIGN_IN_SECRETS
from support.project import OWN_ID
from support.stand_ins import DEV, DIGEST, GROUP, GUARDED, OPEN, SIGN_IN, environment, linked, placed, run, starting

PLATFORM = "cdk deploy kaito-dev-platform --auto-approve"
WORKLOADS = "cdk deploy kaito-dev-workloads --auto-approve"
SIGNED_IN = [
    f"az aks get-credentials --resource-group {GROUP} --name aks-kaito-dev-westeurope --file KUBECONFIG",
    "kubelogin convert-kubeconfig --kubeconfig KUBECONFIG --login azurecli",
]
KAITO_IMAGE = (
    "kubectl --kubeconfig KUBECONFIG --namespace kube-system get deployment/kaito-workspace "
    "--output jsonpath={.spec.template.spec.containers[0].image} --request-timeout=15s"
)
CHECKED = 'but kaito.version = "0.6.0": presets, GPU sizes and nodes were checked for 0.6.0; '
IN_CLUSTER = "kubectl --kubeconfig KUBECONFIG --namespace kaito-chat"
THE_GATEWAYS = "gateways.gateway.networking.k8s.io kaito-chat kaito-chat-models"
A_GATEWAY = f"get {THE_GATEWAYS} --ignore-not-found --output name --request-timeout=15s"
RUNNING = f"{IN_CLUSTER} get deployment/kaito-chat --output jsonpath={{.spec.template.spec.containers[0].image}}"
IN_POD = (
    f"{IN_CLUSTER} exec deployment/kaito-chat -- python -m kaito_chat.probe --chat http://127.0.0.1:8000 --timeout 2700"
)
FIND = "az acr repository show --name crkaitodev6f10b7 --image kaito-chat:0.2.0 --query digest --output tsv"


def test_the_commands_and_their_order(tmp_path: Path) -> None:
    ran = run(tmp_path, "deploy", "dev", "0.2.0")
    assert ran.done.returncode == 0, ran.done.stderr
    grafana = f"--resource-group {GROUP} --name amg-kaito-dev-6f10"
    assert placed(ran) == [
        f"az group exists --name {GROUP}",
        (
            "az keyvault list-deleted --resource-type vault --query [?name=='kv-kaito-dev-6f10b7']."
            "[properties.location, properties.scheduledPurgeDate] --output tsv"
        ),
        f"az aks show --resource-group {GROUP} --name aks-kaito-dev-westeurope --query name --output tsv",
        *SIGNED_IN,
        f"{IN_CLUSTER} {A_GATEWAY}",
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
        KAITO_IMAGE,
        IN_POD,
    ]
    for each in ran.variables:
        assert (each["PWD"], each["AZURE_EXTENSION_USE_DYNAMIC_INSTALL"]) == (
            str(tmp_path / "project"),
            "yes_without_prompt",
        )
        assert each["AKS_KAITO_ENV"] == "dev"


def test_the_image_is_pinned_and_the_printed_command_can_be_typed(tmp_path: Path) -> None:
    ran = run(tmp_path, "deploy", "dev", "0.2.0")
    variables = ran.variables[ran.steps.index(WORKLOADS)]
    assert (variables["TF_VAR_chat_image_tag"], variables["TF_VAR_chat_image_digest"]) == ("0.2.0", DIGEST)
    typed = f"AKS_KAITO_ENV=dev TF_VAR_chat_image_tag=0.2.0 TF_VAR_chat_image_digest={DIGEST} cdk deploy"
    assert typed in ran.done.stdout


def test_a_lock_of_the_providers_is_read_only(tmp_path: Path) -> None:
    locks = linked(tmp_path / "project") / "locks"
    locks.mkdir()
    (locks / "platform.terraform.lock.hcl").write_text("", encoding="utf-8")
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables={"TF_CLI_ARGS_init": "-get=false"})
    assert ran.done.returncode == 0, ran.done.stderr
    platform, workloads = re.findall(r"^== deploy the \w+: (.+?) cdk deploy", ran.done.stdout, re.MULTILINE)
    assert "TF_CLI_ARGS_init='-get=false -lockfile=readonly'" in platform
    assert "TF_CLI_ARGS_init" not in workloads
    planned = run(tmp_path, "plan", "dev", variables={"TF_CLI_ARGS_init": ""})
    assert "AKS_KAITO_ENV=dev TF_CLI_ARGS_init=-lockfile=readonly cdk diff" in planned.done.stdout


def test_the_users_kubeconfig_is_not_changed(tmp_path: Path) -> None:
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables={"KUBECONFIG": "/somebodys/own"})
    place = next(index for index, line in enumerate(ran.lines) if "get-credentials" in line)
    assert ran.variables[place]["KUBECONFIG"] == ran.lines[place].rpartition(" ")[2].replace("kubeconfig", "unused")


def test_kubelogin_signs_in_as_the_settings_say(tmp_path: Path) -> None:
    variables = environment(tmp_path, f'{DEV}\n[workloads]\ncredentials = "workloadidentity"\n')
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=variables)
    signed_in = starting(ran, "kubelogin")
    assert signed_in
    assert all(line.endswith(" --login workloadidentity") for line in signed_in)
    assert "kubelogin convert-kubeconfig --login workloadidentity\n" in ran.done.stdout


def test_it_ends_with_addresses_and_what_to_expect(tmp_path: Path) -> None:
    said = run(tmp_path, "deploy", "dev", "0.2.0").done.stdout
    assert "port-forward service/kaito-chat 8000:80" in said
    assert "Grafana: https://grafana.example.com" in said
    assert "about twenty minutes" in said
    assert "the reason if it cannot become ready: make status ENV=dev WATCH=1" in said
    place = f"--resource-group {GROUP} --name aks-kaito-dev-westeurope"
    assert f"az aks get-credentials {place} && kubelogin convert-kubeconfig --login azurecli" in said


@pytest.mark.parametrize(
    ("image", "version", "words"),
    [
        ("mcr.microsoft.com/aks/kaito/workspace:0.6.0", "0.6.0", "the cluster runs 0.6.0, as kaito.version says"),
        ("mcr.microsoft.com/aks/kaito/workspace:v0.12.0-2", "0.12.0", "the cluster runs 0.12.0, as kaito.version says"),
        (
            "mcr.microsoft.com/aks/kaito/workspace:0.12.0",
            "0.6.0",
            f'the cluster runs 0.12.0, {CHECKED}set kaito.version = "0.12.0"',
        ),
        (
            "registry.local:5000/kaito/workspace:0.9.3@sha256:" + "a" * 64,
            "0.6.0",
            f"the cluster runs 0.9.3, {CHECKED}the catalog knows 0.6.0, 0.12.0",
        ),
        ("registry.local:5000/kaito/workspace", "0.6.0", "unknown: its image is registry.local:5000/kaito/workspace"),
        ("", "0.6.0", "unknown: its image is missing"),
    ],
)
def test_the_report_compares_the_version_of_the_add_on(image: str, version: str, words: str, tmp_path: Path) -> None:
    variables = environment(tmp_path, f'{DEV}\n[kaito]\nversion = "{version}"\n')
    ran = run(
        tmp_path, "deploy", "dev", "0.2.0", variables=variables, answers={"get deployment/kaito-workspace": image}
    )
    assert ran.done.returncode == 0, ran.done.stderr
    assert words in ran.done.stdout


def test_the_version_of_the_chart_is_read_in_its_namespace(tmp_path: Path) -> None:
    variables = environment(tmp_path, f'{DEV}\n[kaito]\ndistribution = "helm"\nversion = "0.12.0"\n')
    image = "mcr.microsoft.com/aks/kaito/workspace:0.12.0"
    ran = run(
        tmp_path, "deploy", "dev", "0.2.0", variables=variables, answers={"get deployment/kaito-workspace": image}
    )
    assert ran.done.returncode == 0, ran.done.stderr
    assert "the cluster runs 0.12.0, as kaito.version says" in ran.done.stdout
    assert KAITO_IMAGE.replace("kube-system", "kaito-workspace") in placed(ran)


def test_a_version_that_cannot_be_read_fails_nothing(tmp_path: Path) -> None:
    ran = run(tmp_path, "deploy", "dev", "0.2.0", fails="get deployment/kaito-workspace")
    assert ran.done.returncode == 0, ran.done.stderr
    assert "the version in the cluster is unknown (it was told to fail); read the tag of: kubectl" in ran.done.stdout


def test_without_kaito_no_version_is_read(tmp_path: Path) -> None:
    variables = environment(tmp_path, f"{DEV}\n[kaito]\nenabled = false\n")
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=variables)
    assert ran.done.returncode == 0, ran.done.stderr
    assert not [line for line in ran.lines if "kaito-workspace" in line]


def test_a_published_chat_gets_a_message_at_its_address(tmp_path: Path) -> None:
    ran = run(tmp_path, "deploy", "sample", "0.2.0")
    assert ran.done.returncode == 0, ran.done.stderr
    assert starting(ran, "probe") == ["probe --chat https://chainlit.kaito.dev --reach 900 --timeout 2700"]
    assert "Chat:    https://chainlit.kaito.dev\n" in ran.done.stdout


def test_the_report_names_the_address_for_a_missing_record(tmp_path: Path) -> None:
    text = f'{DEV}\n[ingress]\nhostname = "chat.kaito.dev"\n{OPEN}'
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=environment(tmp_path, text))
    assert ran.done.returncode == 0, ran.done.stderr
    assert "https://chat.kaito.dev, once an A record leads to 52.174.1.2" in ran.done.stdout
    assert starting(ran, "kubectl")
    assert not starting(ran, "probe")


def test_az_uses_the_subscription_of_the_file_or_the_variable(tmp_path: Path) -> None:
    subscription = OWN_ID
    variables = environment(tmp_path, f'subscription_id = "{subscription}"\n{DEV}')
    for chosen in (variables, {"ARM_SUBSCRIPTION_ID": subscription}):
        asked = starting(run(tmp_path, "deploy", "dev", "0.2.0", variables=chosen), "az ")
        assert asked
        assert all(f"--subscription {subscription}" in line for line in asked)


def test_the_secrets_of_sign_in_are_checked_before_the_workloads(tmp_path: Path) -> None:
    variables = environment(tmp_path, DEV + SIGN_IN)
    failed = run(tmp_path, "deploy", "dev", "0.2.0", fails="secrets/chat-entra-client-secret", variables=variables)
    assert failed.done.returncode == 1
    assert not starting(failed, "cdk deploy kaito-dev-workloads")
    assert "find the secret chat-entra-client-secret" in failed.done.stderr
    assert "az keyvault secret set --vault-name kv-kaito-dev-6f10b7" in failed.done.stderr
    done = run(tmp_path, "deploy", "dev", "0.2.0", variables=variables)
    assert done.done.returncode == 0, done.done.stderr
    assert len(starting(done, "az rest")) == len(SIGN_IN_SECRETS)


def test_the_token_of_a_gated_model_is_checked_before_the_workloads(tmp_path: Path) -> None:
    gated = '\n[models.llama]\npreset = "llama-3.1-8b-instruct"\naccess_secret = "hugging-face"\n'
    variables = environment(tmp_path, DEV + gated)
    failed = run(tmp_path, "deploy", "dev", "0.2.0", fails="secrets/hugging-face", variables=variables)
    assert failed.done.returncode == 1
    assert not starting(failed, "cdk deploy kaito-dev-workloads")
    assert "docs/how-to/serve-several-models.md" in failed.done.stderr


def test_with_sign_in_the_models_are_asked_from_the_pod(tmp_path: Path) -> None:
    inside = "exec deployment/kaito-chat -- python -m kaito_chat.probe"
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=environment(tmp_path, DEV + SIGN_IN))
    assert ran.lines[-1].endswith(f"{inside} --chat http://127.0.0.1:8000 --models --reach 2700 --timeout 2700")
    zone = 'dns_zone_name = "kaito.dev"\ndns_zone_resource_group_name = "dns"\n[chat]'
    with_record = DEV + SIGN_IN.replace("[chat]", zone)
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=environment(tmp_path, with_record))
    assert [line.partition(" ")[0] for line in ran.lines[-2:]] == ["probe", "kubectl"]
    assert ran.lines[-1].endswith(f"{inside} --models --reach 2700 --timeout 2700")


def test_a_missing_password_secret_stops_before_the_workloads(tmp_path: Path) -> None:
    variables = environment(tmp_path, f"{DEV}\n[ingress]\n{GUARDED}")
    failed = run(tmp_path, "deploy", "dev", "0.2.0", fails="get secret model-people", variables=variables)
    assert failed.done.returncode == 1
    assert "find the Secret model-people" in failed.done.stderr
    assert "publish it once the chat is deployed" in failed.done.stderr
    assert not starting(failed, "cdk deploy kaito-dev-workloads")
    assert run(tmp_path, "deploy", "dev", "0.2.0", variables=variables).done.returncode == 0


def test_an_existing_image_is_not_built_again(tmp_path: Path) -> None:
    run(tmp_path, "deploy", "dev", "0.2.0")
    again = run(tmp_path, "deploy", "dev", "0.2.0")
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
def test_the_first_failure_ends_a_deployment_which_can_be_repeated(
    tmp_path: Path, name: str, fails: str, api_server: str
) -> None:
    inside = {"aks show": api_server}
    failed = run(tmp_path, "deploy", name, "0.2.0", fails=fails, answers=inside)
    assert failed.done.returncode == 1
    assert fails.partition("#")[0] in failed.lines[-1]
    assert "ended with exit status 7" in failed.done.stderr
    assert f"Next:   make deploy ENV={name} TAG=0.2.0" in failed.done.stderr
    assert "Traceback" not in failed.done.stderr
    again = run(tmp_path, "deploy", name, "0.2.0", answers=inside)
    assert again.done.returncode == 0, again.done.stderr
    assert f"cdk deploy kaito-{name}-workloads" in " ".join(again.lines)


def test_a_missing_address_ends_a_deployment_and_a_missing_grafana_does_not(tmp_path: Path) -> None:
    text = f'{DEV}\n[ingress]\nhostname = "chat.kaito.dev"\n{OPEN}'
    failed = run(tmp_path, "deploy", "dev", "0.2.0", fails="public-ip show", variables=environment(tmp_path, text))
    assert (failed.done.returncode, "find the address" in failed.done.stderr) == (1, True)
    done = run(tmp_path, "deploy", "dev", "0.2.0", fails="grafana show")
    assert (done.done.returncode, "Grafana: az grafana show --resource-group" in done.done.stdout) == (0, True)


def test_an_image_that_was_released_alone_is_replaced(tmp_path: Path, project: Path) -> None:
    other = {"RUNS": "sha256:" + "b" * 64, "HELM_BIN": str(tmp_path / "helm")}
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=other, root=project)
    assert ran.done.returncode == 0, ran.done.stderr
    place = placed(ran).index(RUNNING)
    assert placed(ran)[place + 1] == "helm version --short"
    upgrade = ran.asked[place + 2]
    assert upgrade[:4] == ["helm", "upgrade", "--install", "kaito-chat"]
    assert {"chat.image.tag=", f"chat.image.digest={DIGEST}", "--reset-then-reuse-values"} <= set(upgrade)
    failed = run(tmp_path, "deploy", "dev", "0.2.0", variables=other, fails="helm upgrade", root=project)
    assert (failed.done.returncode, "upgrade the release" in failed.done.stderr) == (1, True)


def test_a_captured_failure_shows_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "built").touch()
    failed = run(tmp_path, "deploy", "dev", "0.2.0", fails="acr ")
    assert failed.done.returncode == 1
    assert "it was told to fail" in failed.done.stderr
    # This failure does not mean that the tag is missing: no image may replace it.
    assert not starting(failed, "az acr build")


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    failed = run(tmp_path, "deploy", "dev", "0.2.0", variables={"CDK_CLI": "no-such-program"})
    assert failed.done.returncode == 1
    assert "deploy the platform: no-such-program is not installed" in failed.done.stderr
    (tmp_path / "plain").touch()
    failed = run(tmp_path, "deploy", "dev", "0.2.0", variables={"CDK_CLI": str(tmp_path / "plain")})
    assert (failed.done.returncode, "cannot be started: Permission denied" in failed.done.stderr) == (1, True)


def test_disabled_parts_are_skipped(tmp_path: Path) -> None:
    text = f"{DEV}grafana_public_network_access_enabled = false\n[kaito]\nenabled = false\n"
    text += '[openai]\nenabled = true\n[openai.deployments.chat]\nmodel = "gpt-4o"\nversion = "2024-11-20"\n'
    ran = run(tmp_path, "deploy", "dev", "0.2.0", variables=environment(tmp_path, text))
    assert ran.done.returncode == 0, ran.done.stderr
    assert not starting(ran, "az grafana dashboard")
    assert "Grafana has no public address" in ran.done.stdout
    assert "twenty minutes" not in ran.done.stdout
    failed = run(tmp_path, "deploy", "dev", "0.2.0", variables=environment(tmp_path, text), fails="kaito_chat.probe")
    assert "Hint:   az aks get-credentials" in failed.done.stderr
    assert "\n        kubectl --namespace kaito-chat describe pods\n" in failed.done.stderr
    assert "make status" not in failed.done.stderr
    failed = run(tmp_path, "deploy", "dev", "0.2.0", fails="kaito_chat.probe")
    assert "Hint:   make status ENV=dev names the reason; by hand:\n        az aks get-cred" in failed.done.stderr


def test_the_address_of_app_routing_is_looked_up_in_the_cluster(tmp_path: Path) -> None:
    text = f'{DEV}\n[ingress]\nmode = "webapprouting"\nhostname = "chat.kaito.dev"\n{OPEN}'
    said = run(tmp_path, "deploy", "dev", "0.2.0", variables=environment(tmp_path, text)).done.stdout
    assert "once an A record leads to the address of: kubectl --namespace kaito-chat get ingress" in said
