"""The command line's contract, on the real program."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aks_kaito import __version__
from support.project import ENVIRONMENTS, ROOT


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python main.py` with its output in `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AKS_KAITO_")}
    return subprocess.run(
        [sys.executable, "-O", str(ROOT / "main.py"), *arguments],
        cwd=folder,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_unset_means_all_and_the_output_carries_no_machines_path(tmp_path: Path) -> None:
    ran = run(tmp_path)
    assert ran.returncode == 0, ran.stderr
    for path in ENVIRONMENTS:
        text = (tmp_path / f"cdktf.out/stacks/kaito-{path.stem}-platform/cdk.tf.json").read_text(encoding="utf-8")
        assert str(ROOT) not in text
        assert str(tmp_path) not in text
        assert f"../../../terraform.kaito-{path.stem}-platform.tfstate" in text


def test_the_output_is_the_same_to_the_byte_when_everything_is_loaded_at_once(tmp_path: Path) -> None:
    spy = tmp_path / "spy.cjs"
    spy.write_text(
        """process.on("exit", () => {
            const loaded = Object.keys(require.cache).filter((path) => path.includes("provider-azurerm")).length;
            if (loaded) require("fs").appendFileSync(process.env.SPIED, String(loaded));
        });""",
        encoding="utf-8",
    )
    loaded, written = {}, {}
    for eager in ("0", "1"):
        folder, spied = tmp_path / f"eager-{eager}", tmp_path / f"loaded-{eager}"
        folder.mkdir()
        ran = run(folder, AKS_KAITO_EAGER=eager, NODE_OPTIONS=f"--require={spy}", SPIED=str(spied))
        assert ran.returncode == 0, ran.stderr
        loaded[eager] = int(spied.read_text(encoding="utf-8"))
        files = (path for path in (folder / "cdktf.out").rglob("*") if path.is_file())
        written[eager] = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    assert written["0"] == written["1"]
    assert len(written["0"]) > len(ENVIRONMENTS)
    assert loaded["0"] < 100
    assert loaded["1"] > 1000


def test_the_table_ends_with_the_file_and_the_next_command(tmp_path: Path) -> None:
    ran = run(tmp_path, "--show", "table", AKS_KAITO_ENV="sample")
    assert ran.returncode == 0, ran.stderr
    written, following = ran.stdout.rstrip().splitlines()[-2:]
    assert written == "Written: cdktf.out/stacks/kaito-sample-workloads/cdk.tf.json"
    assert following == f"Next:    make deploy ENV=sample TAG={__version__}"
    assert "\nWarning " in ran.stdout
    assert ran.stderr == ""


def test_json_is_all_there_is_on_standard_output(tmp_path: Path) -> None:
    ran = run(tmp_path, "--json", AKS_KAITO_ENV="sample")
    (found,) = json.loads(ran.stdout)
    assert found["environment"] == "sample"
    assert ran.stderr.startswith("warning: ")


def test_an_unknown_form_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    ran = run(tmp_path, "--show", "poem")
    assert ran.returncode == 2
    assert "'poem' (choose from" in ran.stderr
    assert list(tmp_path.iterdir()) == []


WRONG = """
from aks_kaito import node

node.select()
from cdktn import App, TerraformStack
from cdktn_provider_azurerm.subnet import Subnet

stack = TerraformStack(App(outdir="out"), "stack")
Subnet(stack, "a", name="a", resource_group_name="g", virtual_network_name="v", address_prefixes={prefixes})
"""


@pytest.mark.parametrize("option", ["-O", "-B"])
def test_a_wrong_argument_is_refused_with_and_without_pythons_own_check(tmp_path: Path, option: str) -> None:
    def define(prefixes: str) -> subprocess.CompletedProcess[str]:
        code = WRONG.format(prefixes=prefixes)
        command = [sys.executable, option, "-c", code]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)

    assert define('["10.0.0.0/24"]').returncode == 0
    refused = define("[1]")
    assert refused.returncode == 1
    assert ("address_prefixes" if option == "-B" else "addressPrefixes") in refused.stderr


def test_one_environment_is_selected_and_its_folder_moved(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(ROOT / "environments" / "dev.toml", folder / "tiny.toml")
    ran = run(tmp_path, AKS_KAITO_ENV="tiny", AKS_KAITO_ENVIRONMENTS_DIR=str(folder))
    assert ran.returncode == 0, ran.stderr
    made = {path.name for path in (tmp_path / "cdktf.out" / "stacks").iterdir()}
    assert made == {"kaito-tiny-platform", "kaito-tiny-workloads"}


def test_a_refused_file_exits_2_and_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    text = (ROOT / "environments" / "dev.toml").read_text(encoding="utf-8")
    (folder / "bad.toml").write_text(text.replace("max_count = 3", "max_count = 0"), encoding="utf-8")
    (folder / "worse.toml").write_text("prefix = 3", encoding="utf-8")
    (folder / "good.toml").write_text(text, encoding="utf-8")
    ran = run(tmp_path, AKS_KAITO_ENVIRONMENTS_DIR=str(folder))
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    assert "bad.toml: system_pool.max_count = 0: must be at least" in ran.stderr
    assert "worse.toml: prefix = 3: must be text in quotes" in ran.stderr
    assert not (tmp_path / "cdktf.out").exists()


def test_an_unknown_environment_names_the_known_ones(tmp_path: Path) -> None:
    ran = run(tmp_path, AKS_KAITO_ENV="nope")
    assert ran.returncode == 2
    assert "dev, prod, sample" in ran.stderr
    assert not (tmp_path / "cdktf.out").exists()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    ran = run(tmp_path, AKS_KAITO_ENVIRONMENTS_DIR=str(tmp_path / "gone"))
    assert ran.returncode == 2
    assert "gone" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_readmes_errors_are_real(tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    text = (ROOT / "environments" / "dev.toml").read_text(encoding="utf-8")
    text = text.replace("[cluster]", "[cluster]\ncost_analysis_enabled = true")
    text = text.replace("Standard_NV36ads_A10_v5", "Standard_NC12s_v3")
    (folder / "dev.toml").write_text(text, encoding="utf-8")
    ran = run(tmp_path, AKS_KAITO_ENVIRONMENTS_DIR=str(folder))
    shown = [
        line
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("environments/")
    ]
    assert ran.stderr.splitlines() == shown


def test_the_protection_is_lifted_by_a_variable_with_two_values(tmp_path: Path) -> None:
    lifted = run(tmp_path, AKS_KAITO_ENV="dev", AKS_KAITO_PREVENT_DESTROY="false")
    assert lifted.returncode == 0, lifted.stderr
    text = (tmp_path / "cdktf.out/stacks/kaito-dev-platform/cdk.tf.json").read_text(encoding="utf-8")
    assert '"prevent_destroy": true' not in text
    refused = run(tmp_path, AKS_KAITO_ENV="dev", AKS_KAITO_PREVENT_DESTROY="no")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.endswith('environments: AKS_KAITO_PREVENT_DESTROY = "no": must be true or false\n')


def test_an_empty_selection_is_refused_instead_of_all_environments(tmp_path: Path) -> None:
    ran = run(tmp_path, AKS_KAITO_ENV="")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.endswith('environments: AKS_KAITO_ENV = "": must be one of: dev, prod, sample\n')


def test_a_shared_state_has_prefix_environment_and_subscription_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    text = (ROOT / "environments" / "dev.toml").read_text(encoding="utf-8")
    blob = '\n[state]\nbackend = "azurerm"\nresource_group_name = "rg-states"\nstorage_account_name = "ststates"\n'
    subscription = "11111111-2222-3333-4444-555555555555"
    (folder / "dev.toml").write_text(f'subscription_id = "{subscription}"\n{text}{blob}', encoding="utf-8")
    ran = run(tmp_path, AKS_KAITO_ENVIRONMENTS_DIR=str(folder))
    assert ran.returncode == 0, ran.stderr
    for part in ("platform", "workloads"):
        written = (tmp_path / f"cdktf.out/stacks/kaito-dev-{part}/cdk.tf.json").read_text(encoding="utf-8")
        assert json.loads(written)["terraform"]["backend"] == {
            "azurerm": {
                "container_name": "tfstate",
                "key": f"kaito/dev/666ff6ccaa5b/{part}.tfstate",
                "resource_group_name": "rg-states",
                "storage_account_name": "ststates",
                "subscription_id": subscription,
                "use_azuread_auth": True,
            }
        }
