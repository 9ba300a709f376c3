"""Private environments, from outside their network and inside it."""

from pathlib import Path

from support.project import ROOT
from support.stand_ins import environment, linked, run, starting


def test_a_private_environment_stops_after_the_platform(tmp_path: Path) -> None:
    ran = run(tmp_path, "deploy", "prod", "0.2.0", fails="acr login")
    assert ran.done.returncode == 3
    assert ran.lines == [
        "az group exists --name rg-kaito-prod-westeurope",
        (
            "az keyvault list-deleted --resource-type vault --query [?name=='kv-kaito-prod-6f10b7']."
            "[properties.location, properties.scheduledPurgeDate] --output tsv"
        ),
        "cdk deploy kaito-prod-platform --auto-approve --ignore-missing-stack-dependencies",
        "az acr login --name crkaitoprod6f10b7 --expose-token --output none",
        (
            "az aks show --resource-group rg-kaito-prod-westeurope --name aks-kaito-prod-westeurope "
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


def test_the_instructions_name_the_subscription_and_a_way_in_that_works(tmp_path: Path) -> None:
    prod = (ROOT / "environments" / "prod.toml").read_text(encoding="utf-8")
    assert 'sku = "Standard"' in prod.partition("[bastion]")[2].partition("[")[0]
    head, _, rest = prod.partition("[bastion]")
    variables = environment(tmp_path, head + "[bastion]" + rest.replace('sku = "Standard"\n', "", 1), "prod")
    variables["ARM_SUBSCRIPTION_ID"] = "11111111-2222-3333-4444-555555555555"
    said = run(tmp_path, "deploy", "prod", "0.2.0", fails="acr login", variables=variables).done.stderr
    assert f"  ARM_SUBSCRIPTION_ID={variables['ARM_SUBSCRIPTION_ID']} make deploy ENV=prod TAG=0.2.0\n" in said
    # The cheapest Bastion has no tunnel.
    assert "bastion ssh" not in said
    assert "In the portal, the virtual machine vm-kaito-prod, Connect, Bastion" in said


def test_inside_the_network_the_image_is_built_on_this_machine(tmp_path: Path, api_server: str) -> None:
    ran = run(tmp_path, "deploy", "prod", "0.2.0", answers={"aks show": api_server})
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


def test_private_workloads_are_destroyed_from_inside(tmp_path: Path) -> None:
    outside = run(tmp_path, "destroy", "prod", "prod", fails="destroy kaito-prod-workloads")
    assert outside.done.returncode == 3
    assert "make destroy ENV=prod CONFIRM=prod" in outside.done.stderr
    assert not starting(outside, "cdk destroy kaito-prod-platform")
    # Without workloads, neither registry nor API server is needed.
    assert run(tmp_path, "destroy", "prod", "prod", fails="acr ").done.returncode == 0
    # A missing cluster hides nothing: another step failed.
    gone = run(tmp_path, "destroy", "prod", "prod", fails="prod-w", answers={"aks show": ""})
    assert (gone.done.returncode, "exit status 7" in gone.done.stderr) == (1, True)


def test_the_jump_box_does_not_destroy_itself(tmp_path: Path) -> None:
    elsewhere = linked(tmp_path / "project") / "cli"
    variables = {"PYTHONPATH": f"{named_as(tmp_path, 'vm-kaito-dev')}:{elsewhere}"}
    ran = run(tmp_path, "destroy", "dev", "dev", variables=variables)
    assert (ran.done.returncode, starting(ran, "cdk destroy kaito-dev-platform")) == (3, [])
    assert "destroy the platform from outside its network" in ran.done.stderr


def named_as(folder: Path, name: str) -> Path:
    """Return a folder for PYTHONPATH that gives this machine another host name."""
    (folder / "sitecustomize.py").write_text(
        f"import socket\nsocket.gethostname = lambda: {name!r}\n", encoding="utf-8"
    )
    return folder


def test_state_in_a_blob_is_not_mentioned(tmp_path: Path) -> None:
    prod = (ROOT / "environments" / "prod.toml").read_text(encoding="utf-8")
    blob = '[state]\nbackend = "azurerm"\nresource_group_name = "states"\nstorage_account_name = "states123"\n'
    text = prod.replace("private_cluster_enabled = true", "private_cluster_enabled = true\nrun_command_enabled = false")
    variables = environment(tmp_path, f"{text}\n{blob}", "prod")
    ran = run(tmp_path, "deploy", "prod", "0.2.0", fails="acr login", variables=variables)
    assert ran.done.returncode == 3
    assert "tfstate" not in ran.done.stderr
    assert "aks command invoke" not in ran.done.stderr
