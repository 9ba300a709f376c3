"""Releases of the application alone, with a Helm that only notes its arguments."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from aks_kaito.charts.names import CHAT_CHART, CHAT_DEPLOYMENT, CHAT_SERVICE
from support import forked
from support.project import ENVIRONMENTS, ROOT
from support.rendered import ID
from support.rendered import release as terraform_release
from support.rendering import RenderError, merged, one, render
from support.stand_ins import DIGEST, environment, prepare

HELM = """#!{python}
import json, os, sys
if sys.argv[1] == "version":
    sys.exit(print(os.environ["VERSION"]))
json.dump(sys.argv[1:], open(os.environ["HELM_NOTED"], "w"))
sys.exit(int(os.environ.get("STATUS", "0")))
"""


def release(
    folder: Path,
    *arguments: str,
    status: int = 0,
    version: str = "v4.3.1+gc0d08d0",
    fails: str = "",
    built: bool = True,
    variables: Mapping[str, str] | None = None,
    root: Path | None = None,
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run `aks-kaito release`; return its result and Helm's arguments."""
    program, noted = folder / "helm", folder / "helm.json"
    helm = {"HELM_BIN": str(program), "HELM_NOTED": str(noted), "STATUS": str(status), "VERSION": version}
    surroundings = prepare(folder, fails=fails, variables=helm | dict(variables or {}), root=root)
    program.write_text(HELM.format(python=sys.executable), encoding="utf-8")
    if built:
        Path(surroundings["BUILT"]).touch()
    done = forked.run(["release", *arguments], surroundings, seconds=60)
    return done, json.loads(noted.read_text()) if noted.exists() else []


@pytest.mark.parametrize(("given", "fails"), [("0.2.0", ""), (DIGEST, ""), (DIGEST, "acr ")])
def test_helm_upgrades_to_a_digest_with_the_stacks_values(
    tmp_path: Path, given: str, fails: str, project: Path
) -> None:
    done, asked = release(tmp_path, "sample", given, fails=fails, root=project)
    assert done.returncode == 0, done.stderr
    assert asked[:3] == ["upgrade", "--install", "kaito-chat"]
    assert asked[asked.index("--namespace") + 1] == "kaito-demo"
    assert asked[asked.index("--values") + 1].endswith("cdktf.out/values/sample.yaml")
    assert "chat.image.tag=" in asked
    assert f"chat.image.digest={DIGEST}" in asked
    assert ("continuing without checking the image" in done.stderr) == bool(fails)
    assert {"--reset-then-reuse-values", "--rollback-on-failure", "--wait=legacy"} <= set(asked)


def test_the_release_goes_to_the_environments_own_cluster(tmp_path: Path, project: Path) -> None:
    _, asked = release(tmp_path, "sample", "0.2.0", root=project)
    signed_in = [json.loads(line)[0] for line in (tmp_path / "noted").read_text().splitlines()]
    assert signed_in.pop(0)[:4] == ["az", "acr", "repository", "show"]
    assert [each[:2] for each in signed_in] == [["az", "aks"], ["kubelogin", "convert-kubeconfig"]]
    access = asked[asked.index("--kubeconfig") + 1]
    assert signed_in[0][-4:] == ["--name", "aks-anubi-sample-westeurope", "--file", access]
    assert signed_in[1][2:4] == ["--kubeconfig", access]
    assert asked[asked.index("--timeout") + 1] == "10m"


def test_without_access_to_the_cluster_nothing_is_released(tmp_path: Path, project: Path) -> None:
    done, asked = release(tmp_path, "dev", "0.2.0", fails="get-credentials", root=project)
    assert (done.returncode, asked) == (1, [])
    assert "find the cluster" in done.stderr


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("dev", "az acr build --registry crkaitodev6f10b7 --image kaito-chat:0.2.0 app"),
        ("prod", "app/image.sh crkaitoprod6f10b7.azurecr.io/kaito-chat:0.2.0 crkaitoprod6f10b7 here"),
    ],
)
def test_a_missing_image_is_not_released(tmp_path: Path, name: str, hint: str, project: Path) -> None:
    done, asked = release(tmp_path, name, "0.2.0", built=False, root=project)
    assert (done.returncode, asked) == (1, [])
    assert "the registry has no such image" in done.stderr
    assert hint in done.stderr


def test_a_tag_is_not_released_while_the_registry_cannot_be_asked(tmp_path: Path, project: Path) -> None:
    done, asked = release(tmp_path, "dev", "0.2.0", fails="acr ", root=project)
    assert (done.returncode, asked) == (1, [])
    assert "give the digest instead of the tag 0.2.0: TAG=sha256:..." in done.stderr


def test_outdated_values_are_not_released(tmp_path: Path, project: Path) -> None:
    settings = tmp_path / "environments"
    shutil.copytree(ROOT / "environments", settings)
    text = (settings / "dev.toml").read_text(encoding="utf-8")
    (settings / "dev.toml").write_text(f"{text}\n[chat]\nreplicas = 3\n", encoding="utf-8")
    variables = {"AKS_KAITO_ENVIRONMENTS_DIR": str(settings)}
    done, asked = release(tmp_path, "dev", "0.2.0", variables=variables, root=project)
    assert (done.returncode, asked) == (2, [])
    assert "values/dev.yaml does not match the settings: run `make synth ENV=dev`" in done.stderr


def test_missing_values_are_not_released(tmp_path: Path, project: Path) -> None:
    text = (ROOT / "environments" / "dev.toml").read_text(encoding="utf-8")
    done, asked = release(tmp_path, "other", "0.2.0", variables=environment(tmp_path, text, "other"), root=project)
    assert (done.returncode, asked) == (2, [])
    assert done.stderr == "cdktf.out/values/other.yaml is missing: run `make synth ENV=other` first\n"


def test_helm_3_gets_the_options_of_its_version(tmp_path: Path, project: Path) -> None:
    asked = release(tmp_path, "dev", "0.2.0", version="v3.17.2+gcc0bbbd", root=project)[1]
    assert {"--atomic", "--wait"} <= set(asked)
    assert "--rollback-on-failure" not in asked


def test_a_failure_of_helm_fails_the_release(tmp_path: Path, project: Path) -> None:
    failed = release(tmp_path, "dev", "0.2.0", status=3, root=project)[0]
    assert (failed.returncode, "ended with exit status 3" in failed.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("dev", "a b"), "TAG='a b': must be"),
        (("dev", ""), "TAG='': must be"),
        (("nowhere", "0.2.0"), 'ENV = "nowhere": must be one of: dev, prod, sample'),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done, asked = release(tmp_path, *arguments)
    assert (done.returncode, asked) == (2, [])
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", [path.stem for path in ENVIRONMENTS])
def test_the_values_file_is_what_terraform_uses(name: str, workloads: dict[str, dict[str, Any]], project: Path) -> None:
    text = (project / "cdktf.out" / "values" / f"{name}.yaml").read_text(encoding="utf-8")
    ours, found_out = terraform_release(workloads[name], CHAT_CHART)["values"]
    assert yaml.safe_load(text) == json.loads(ours)
    # Only a deployment knows the rest.
    assert set(re.findall(r"\$\{(\w+)\.", found_out)) == {"data", "var"}


def test_without_an_earlier_deployment_the_chart_refuses(project: Path) -> None:
    text = (project / "cdktf.out" / "values" / "dev.yaml").read_text(encoding="utf-8")
    with pytest.raises(RenderError, match="workloadIdentity/clientId"):
        render(yaml.safe_load(text))


@pytest.mark.parametrize("name", [path.stem for path in ENVIRONMENTS])
def test_the_values_file_and_the_ids_make_a_release(name: str, project: Path) -> None:
    text = (project / "cdktf.out" / "values" / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# Values of charts/kaito-chat")
    values = json.loads(text.partition("\n")[2])
    given = {"chat": {"workloadIdentity": {"clientId": ID}, "image": {"tag": "0.2.0"}}}
    signs_in = {
        "chat": {
            "databaseRole": {"clientId": ID, "objectId": ID},
            "keyVault": {"tenantId": ID},
            "settings": {"KAITO_CHAT_ENTRA_TENANT_ID": ID},
        }
    }
    more = signs_in if "keyVault" in values["chat"] else {}
    objects = render(merged(values, given, more), release=CHAT_CHART)
    assert one(objects, "Service", CHAT_SERVICE)
    image = one(objects, "Deployment", CHAT_DEPLOYMENT)["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == f"{values['chat']['image']['repository']}:0.2.0"
