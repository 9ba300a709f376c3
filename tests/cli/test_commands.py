"""Builders of command lines, which start nothing."""

import shlex

import pytest

from aks_kaito.settings import Environment
from aks_kaito_cli.commands import azure, cdk, helm, image, kubelogin, probe
from aks_kaito_cli.commands.kubectl import Kubectl
from support.project import ROOT

GROUP = "--resource-group rg-kaito-dev-westeurope"
CLUSTER = f"{GROUP} --name aks-kaito-dev-westeurope"
GRAFANA = f"{GROUP} --name amg-kaito-dev-6f10"


@pytest.fixture
def az(environments: dict[str, Environment]) -> azure.Azure:
    return azure.Azure(environments["dev"], None)


def test_whatever_has_a_group_and_a_name_gets_both_in_one_order(az: azure.Azure) -> None:
    for command, expected in (
        (az.show_cluster("name"), f"aks show {CLUSTER} --query name --output tsv"),
        (az.get_credentials(), f"aks get-credentials {CLUSTER}"),
        (az.get_credentials("k"), f"aks get-credentials {CLUSTER} --file k"),
        (az.run_in_cluster("ls"), f"aks command invoke {CLUSTER} --command ls"),
        (az.grafana_endpoint(), f"grafana show {GRAFANA} --query properties.endpoint --output tsv"),
        (az.ingress_address(), f"network public-ip show {GROUP} --name pip-ingress"),
        (az.jump_box_id(), f"vm show {GROUP} --name vm-kaito-dev --query id --output tsv"),
        (az.bastion_ssh(), f"network bastion ssh {GROUP} --name bas-kaito"),
    ):
        assert shlex.join(command).startswith(f"az {expected}")


def test_a_subscription_is_named_wherever_az_would_use_its_own(environments: dict[str, Environment]) -> None:
    az = azure.Azure(environments["dev"], "1111")
    for command in (az.show_cluster("id"), az.registry_token(), az.image_digest("a:1"), az.build_image("a:1", "app")):
        assert command[-2:] == ("--subscription", "1111")
    assert "/subscriptions/1111/resourceGroups/" in shlex.join(az.find_secret("one"))


def test_a_secret_is_found_in_azs_own_subscription_without_one(az: azure.Azure) -> None:
    assert "/subscriptions/{subscriptionId}/resourceGroups/rg-kaito-dev" in shlex.join(az.find_secret("one"))


def test_kubectl_uses_the_users_kubeconfig_without_another() -> None:
    assert Kubectl("chat").command("get", "pods") == ("kubectl", "--namespace", "chat", "get", "pods")
    signed_in = Kubectl("chat", "k")
    assert signed_in.find_secret("s")[:5] == ("kubectl", "--kubeconfig", "k", "--namespace", "chat")
    assert signed_in.find_nginx()[3:5] == ("--namespace", "nginx-ingress")


@pytest.mark.parametrize(
    ("version", "waiting"),
    [("v3.17.2+g", ["--atomic", "--wait"]), ("v4.3.1+g", ["--rollback-on-failure", "--wait=legacy"])],
)
def test_helm_waits_for_the_pods_in_the_words_of_its_version(version: str, waiting: list[str]) -> None:
    upgrade = helm.Upgrade(chart="chart", values="v.yaml", namespace="chat", kubeconfig=None, version="0.2.0")
    assert list(upgrade.command("helm", version)[-2:]) == waiting
    assert "--kubeconfig" not in upgrade.command("helm", version)


def test_a_tag_and_a_digest_replace_each_other() -> None:
    upgrade = helm.Upgrade(chart="chart", values="v.yaml", namespace="chat", kubeconfig="k", version="0.2.0")
    assert {"chat.image.tag=0.2.0", "chat.image.digest="} <= set(upgrade.command("helm", "v4"))
    pinned = upgrade._replace(version="sha256:ab")
    assert {"chat.image.tag=", "chat.image.digest=sha256:ab"} <= set(pinned.command("helm", "v4"))


def test_the_other_programs() -> None:
    assert cdk.command(("node", "cdktn"), "destroy", "kaito-dev-platform") == (
        *("node", "cdktn", "destroy", "kaito-dev-platform"),
        *("--auto-approve", "--ignore-missing-stack-dependencies"),
    )
    assert kubelogin.convert("msi") == ("kubelogin", "convert-kubeconfig", "--login", "msi")
    assert image.build_and_push("r/a:1", "r") == (str(ROOT / "app" / "image.sh"), "r/a:1", "r", "here")
    assert probe.arguments(chat="u", answer_seconds=9) == ("--chat", "u", "--timeout", "9")
    assert probe.arguments(models=True, reach_seconds=8, answer_seconds=9) == (
        *("--models", "--reach", "8"),
        *("--timeout", "9"),
    )
