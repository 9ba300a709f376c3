"""The path to the cluster: stand-ins for az and kubectl, and the genuine kubectl."""

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aks_kaito.settings import load
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.shell import Shell, Step, StepError
from aks_kaito_cli.status import reach
from aks_kaito_cli.status.questions import CUT, QUESTIONS, script, sections
from aks_kaito_cli.status.reach import Cluster, Reader
from support.kaito_cluster import MODEL, READY_06, controllers, log, workspace
from support.kubernetes_api import kubernetes_api
from support.needs import needs_program
from support.project import ROOT, TODAY
from support.stand_ins import DEV, prepare

SETTINGS = load(ROOT / "environments" / "dev.toml", TODAY).settings
UNREACHED = "Unable to connect to the server: dial tcp: lookup kaito.hcp.westeurope.azmk8s.io: no such host"
# Other words of the command line for the direct path and the one in the cluster.
DIRECT = "kubectl --kubeconfig"


def listed(*items: Any) -> str:
    return json.dumps({"kind": "List", "items": items})


METRICS = """# TYPE kaito_model_download_remaining_seconds gauge
kaito_model_download_speed_bytes_per_second 1.2e+09
kaito_model_download_remaining_seconds 95.5
vllm:num_requests_running 0.0"""
ANSWERS = {
    "get pods --selector kaito.sh/workspace --output name": f"pod/{MODEL}-0",
    f"get --raw /api/v1/namespaces/kaito-chat/pods/{MODEL}-0:5000/proxy/metrics": METRICS,
    "get workspaces": listed(workspace(*READY_06)),
    "get deployments kaito-workspace": listed(*controllers()),
    "--previous": "",
    "logs --selector": log("INFO ready").strip(),
    "get ": listed(),
}


def read(
    folder: Path,
    *,
    fails: str = "",
    says: str = UNREACHED,
    text: str = DEV,
    host: str = "",
    answers: Mapping[str, str] | None = None,
) -> Cluster:
    path = folder / "dev.toml"
    path.write_text(text, encoding="utf-8")
    variables = prepare(folder, fails=fails, answers={**(answers or {}), **ANSWERS}, variables={"SAYS": says})
    reader = Reader(load(path, TODAY), variables, None)
    try:
        return reader.read(host)
    finally:
        reader.close()


def printed(folder: Path, **answers: str) -> str:
    """Run the script for the cluster in a genuine shell, with a stand-in for kubectl."""
    variables = prepare(folder, answers={**answers, **ANSWERS})
    ran = subprocess.run(
        ["/bin/sh", "-c", script(SETTINGS)], env=variables, capture_output=True, text=True, check=False, timeout=120
    )
    return ran.stdout


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    return printed(tmp_path_factory.mktemp("inside"))


def invoked(logs: str, **more: Any) -> dict[str, str]:
    """Return az's answer: an object, since the output is asked for as JSON."""
    said = {"exitCode": 0, "logs": logs, "provisioningState": "Succeeded", "reason": None, **more}
    return {"aks command invoke": json.dumps(said)}


def test_kubectl_is_asked_directly(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.path, found.reasons) == ("direct", ())
    assert [each["metadata"]["name"] for each in found.items("workspaces")] == [MODEL]
    assert len(found.items("controllers")) == 2
    assert "INFO ready" in found.text("logs")
    assert found.text("previous") == ""
    assert f"{MODEL}-0 kaito_model_download_remaining_seconds 95.5" in found.text("downloads").splitlines()
    noted = [json.loads(each)[0] for each in (tmp_path / "noted").read_text().splitlines()]
    asked = [each for each in noted if each[0] == "kubectl" and "--raw" not in each]
    assert len(asked) == len(QUESTIONS)
    assert all("--request-timeout=15s" in each and "--kubeconfig" in each for each in asked)


def test_an_api_server_out_of_reach_is_asked_through_azure(tmp_path: Path, output: str) -> None:
    found = read(tmp_path, fails=DIRECT, answers=invoked(output))
    assert found.path == "run command"
    assert found.reasons == (f"the API server does not answer from here ({UNREACHED})",)
    assert [each["metadata"]["name"] for each in found.items("workspaces")] == [MODEL]
    assert not any(found.error(key) for key in QUESTIONS)
    assert f"{MODEL}-0 kaito_model_download_remaining_seconds 95.5" in found.text("downloads")


def test_a_host_that_accepts_no_connection_is_not_asked_through_kubectl(tmp_path: Path, output: str) -> None:
    found = read(tmp_path, host="127.0.0.1:9", answers=invoked(output))
    assert found.path == "run command"
    assert "the API server 127.0.0.1:9 does not answer from here" in found.reasons[0]
    assert "kubectl --kubeconfig" not in (tmp_path / "noted").read_text()


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"aks command invoke": "WARNING"}, "az aks command invoke failed: az printed no JSON"),
        ({"aks command invoke": "[]"}, "az aks command invoke failed: az printed another form than expected"),
        (invoked(""), "az aks command invoke: the command printed nothing"),
        (invoked("x", provisioningState="Failed", reason="no nodes"), "az aks command invoke failed: no nodes"),
    ],
)
def test_a_run_command_that_says_nothing_leaves_azure_alone(
    tmp_path: Path, answers: dict[str, str], reason: str
) -> None:
    found = read(tmp_path, fails=DIRECT, answers=answers)
    assert (found.path, found.reasons[1:]) == ("none", (reason,))
    assert found.error("workspaces") == "the cluster cannot be read"


def test_a_refused_run_command_leaves_azure_alone(tmp_path: Path) -> None:
    said = "ERROR: (AuthorizationFailed) The client does not have authorization to perform runCommand/action"
    found = read(tmp_path, host="127.0.0.1:9", fails="aks command invoke", says=said)
    assert (found.path, found.reasons[1]) == ("none", f"az aks command invoke failed: {said}")


def test_a_run_command_that_the_file_forbids_is_not_tried(tmp_path: Path) -> None:
    text = DEV.replace("[cluster]\n", "[cluster]\nrun_command_enabled = false\n")
    found = read(tmp_path, fails=DIRECT, text=text)
    assert (found.path, found.reasons[1]) == ("none", "cluster.run_command_enabled = false")


def test_a_refusal_is_an_answer_and_no_reason_for_another_path(tmp_path: Path) -> None:
    said = 'Error from server (Forbidden): workspaces.kaito.sh is forbidden: User "x" cannot list resource "workspaces"'
    found = read(tmp_path, fails="get workspaces", says=said)
    assert (found.path, found.error("workspaces"), found.error("pods")) == ("direct", said, "")


def test_an_unknown_kind_is_absent(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        fails="get inferencesets",
        says='error: the server doesn\'t have a resource type "inferencesets"',
    )
    assert (found.answers["sets"].absent, found.error("sets")) == (True, "")


def test_garbage_is_an_error_of_its_question_only(tmp_path: Path) -> None:
    found = read(tmp_path, answers={"get pods": "<html>"})
    assert found.error("pods") == "kubectl's answer about pods is no JSON object"
    assert found.error("workspaces") == ""


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, fails="get-credentials", says="ERROR: Please run 'az login' to setup account.")
    assert "ERROR: Please run 'az login' to setup account." in found.reasons[0]


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    path = tmp_path / "dev.toml"
    path.write_text(DEV, encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(StepError, match=r"gave no answer in 0\.3 seconds"):
        Shell(load(path, TODAY)).ask(Step("wait", ("/bin/sh", "-c", "sleep 30 & sleep 30")), 0.3)
    assert time.monotonic() - began < 10


def test_an_api_server_that_is_silent_is_out_of_reach(
    tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "_KUBECTL_SECONDS", 0)
    found = read(tmp_path, answers=invoked(output))
    assert found.path == "run command"
    assert "gave no answer in 0 seconds" in found.reasons[0]


def test_a_cut_output_keeps_what_came_before(output: str) -> None:
    found = sections(output[: output.index("@@ begin claims") + 40])
    assert [each["metadata"]["name"] for each in found["workspaces"].items] == [MODEL]
    assert {key for key, each in found.items() if each.error == CUT} == set(QUESTIONS) - {"workspaces", "sets"}
    assert all(each.error == CUT for each in sections("").values())


def test_failures_inside_the_cluster_stay_with_their_questions(tmp_path: Path) -> None:
    variables = prepare(
        tmp_path, fails="nodeclaims", answers=ANSWERS, variables={"SAYS": "Error from server (Forbidden): no"}
    )
    ran = subprocess.run(
        ["/bin/sh", "-c", script(SETTINGS)], env=variables, capture_output=True, text=True, check=False, timeout=120
    )
    found = sections(ran.stdout)
    assert {key: each.error for key, each in found.items() if each.error} == {
        "claims": "Error from server (Forbidden): no"
    }


def test_the_genuine_kubectl_reads_an_api_server(tmp_path: Path) -> None:
    program = needs_program("kubectl", package="kubectl, which make test installs")
    with kubernetes_api() as api:
        api.objects["workspaces", MODEL] = workspace(*READY_06)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": api.address}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {}}],
            "current-context": "c",
        }
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(config), encoding="utf-8")
        file = tmp_path / "dev.toml"
        file.write_text(DEV, encoding="utf-8")
        variables = {"PATH": f"{Path(program).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
        reader = Reader(load(file, TODAY), variables, None)
        reader._kubectl = Kubectl("kaito-chat", str(path))  # noqa: SLF001 - signed in already
        found = reader.read("")
    assert (found.path, [each["metadata"]["name"] for each in found.items("workspaces")]) == ("direct", [MODEL])
    assert (found.answers["sets"].absent, found.items("sets"), found.error("pods")) == (False, (), "")
    # Kinds that this API server does not serve.
    assert found.answers["claims"].absent
    assert found.answers["certificates"].absent
