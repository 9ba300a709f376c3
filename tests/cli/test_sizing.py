"""The subcommand `size`, over the shipped environments and files of measurements."""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aks_kaito_cli.app import application
from aks_kaito_cli.sizing import database, metrics
from support.project import ENVIRONMENTS, ROOT

PAGE = ROOT / "docs" / "explanation" / "sizing.md"
METRICS = """# HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{engine="0",model_name="phi-4-mini-instruct"} 8.0
vllm:num_requests_waiting{engine="0",model_name="phi-4-mini-instruct"} 0.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="phi-4-mini-instruct"} 80.0
vllm:inter_token_latency_seconds_count{engine="0",model_name="phi-4-mini-instruct"} 1000.0
vllm:request_prompt_tokens_sum{engine="0"} 12000.0
vllm:request_prompt_tokens_count{engine="0"} 10.0
vllm:request_generation_tokens_sum{engine="0"} 2000.0
vllm:request_generation_tokens_count{engine="0"} 10.0
vllm:prefix_cache_queries_total{engine="0"} 12000.0
vllm:prefix_cache_hits_total{engine="0"} 6000.0
vllm:cache_config_info{block_size="16",cache_dtype="auto",num_gpu_blocks="4000"} 1.0
"""


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(application(), ["size", *arguments], catch_exceptions=False, **options)


def sized(*arguments: str, status: int = 0) -> dict[str, Any]:
    ran = run(*arguments, "--json")
    assert ran.exit_code == status, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)
    assert found["exit_status"] == status
    return found


def test_dev_for_500_users_in_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = run("dev", "--users", "500")
    assert ran.exit_code == 0
    assert max(map(len, ran.stdout.partition("info: quota")[0].splitlines())) <= 80
    text = re.sub(" +", " ", ran.stdout)
    for line in (
        "default 1 ",
        "model.replicas 1 1 100 users in the busiest hour",
        "speed from public figures of NVIDIA A10; at most ",
        "Assumed: 100 of 500 users ask 12 questions each in the busiest hour, with 1155 tokens of prompt and 211 of",
        "dev for 500 users: 1 replica, 2 pods of the chat; the environment file has them.",
        "Next: make cost ENV=dev",
    ):
        assert line in text, text


def test_more_users_need_more_and_the_values_to_write_are_shown() -> None:
    found = sized("prod", "--users", "40000")
    (model,) = found["models"]
    assert model["simulation"]["questions"] == model["simulation"]["answered"]
    assert model["simulation"]["first_text_seconds"]["p95"] <= 2
    assert model["replicas"] >= 3
    assert (model["quota_family"], model["vcpus"]) == ("Standard NCADS_A100_v4 Family vCPUs", 24 * model["replicas"])
    keys = {each["key"]: each["needed"] for each in found["keys"]}
    assert keys["model.replicas"] == model["replicas"]
    assert keys["chat.replicas"] == found["chat"]["pods"] >= 2
    assert found["database"]["connections"] == (found["chat"]["pods"] + 1) * 30
    assert keys["postgresql.storage_gib"] >= 2 * found["database"]["gib_per_year"]
    shown = run("prod", "--users", "40000").stdout
    assert f"[model]\nreplicas = {model['replicas']}\n" in shown
    assert "Next: write the values to environments/prod.toml, then make preflight ENV=prod" in shown


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_shipped_environments_can_be_sized(path: Path) -> None:
    found = sized(path.stem, "--users", "50")
    assert [each["replicas"] for each in found["models"]] == [1]
    assert {each["group"] for each in found["findings"]} == {"Limits"}


def test_a_measured_throughput_replaces_public_figures() -> None:
    slow, fast = (
        sized("dev", "--users", "10000", "--tokens-per-second", each)["models"][0] for each in ("400", "4000")
    )
    assert slow["replicas"] > fast["replicas"]
    assert slow["speed_source"] == "--tokens-per-second 400"


def test_metrics_of_vllm_set_the_speed(tmp_path: Path) -> None:
    path = tmp_path / "metrics.txt"
    path.write_text(METRICS, encoding="utf-8")
    slow = sized("dev", "--users", "10000", "--metrics", str(path))["models"][0]
    assert slow["speed_source"] == "vLLM's metrics: 12.5 tokens per second and answer, 8 at once"
    path.write_text(METRICS.replace('_sum{engine="0",model_name="phi-4-mini-instruct"} 80.0', "_sum 20.0"), "utf-8")
    fast = sized("dev", "--users", "10000", "--metrics", str(path))["models"][0]
    assert fast["replicas"] < slow["replicas"]


def test_an_address_is_read_twice_and_only_the_time_between_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    later = METRICS.replace("} 80.0", "} 90.0").replace("} 1000.0", "} 2000.0")
    answers = iter([METRICS, later])
    monkeypatch.setattr(metrics, "PAUSE_SECONDS", 0.0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(next(answers).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = metrics.read(f"http://127.0.0.1:{server.server_port}/metrics")
        server.shutdown()
    assert (found.seconds_per_token, found.answers, found.cache_tokens) == (0.01, 8, 64_000)
    # Nothing was finished between the readings.
    assert (found.prompt_tokens, found.answer_tokens, found.cached_share) == (None, None, None)
    since_start = metrics.measured(METRICS, "file")
    assert (since_start.seconds_per_token, since_start.prompt_tokens, since_start.cached_share) == (0.08, 1200, 0.5)


def test_a_server_that_restarted_between_the_readings_is_an_error() -> None:
    later = METRICS.replace("} 1000.0", "} 10.0").replace("} 80.0", "} 1.0")
    with pytest.raises(metrics.MetricsError, match="the server restarted; read again"):
        metrics.measured(later, "address", earlier=METRICS)


def workspace(value: str = "120000.00", **status: Any) -> dict[str, Any]:
    metric = {
        "value": value,
        "unit": "tokens/min",
        "description": "stress/high-concurrency",
        "config": {"durationSec": "60", "inputTokens": "2048", "outputTokens": "256", "maxConcurrency": "40"},
    }
    performance = {"performance": {"metrics": {"peakTokensPerMinute": metric}}}
    return {"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "status": {**performance, **status}}


def test_kaitos_benchmark_sets_the_speed(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(workspace()), encoding="utf-8")
    found = sized("dev", "--users", "5000", "--kaito-status", str(path))["models"][0]
    assert found["speed_source"] == "status.performance of the Workspace: 120,000 tokens per minute and replica"
    one = {"value": "240000.00", "unit": "tokens/min", "description": "stress/high-concurrency"}
    status = {"readyReplicas": 2, "performance": {"metrics": {"aggregatedPeakTokensPerMinute": one}}}
    text = json.dumps({"kind": "InferenceSet", "status": status})
    ran = run("dev", "--users", "5000", "--kaito-status", "-", "--json", input=text)
    both = json.loads(ran.stdout)["models"][0]
    assert both["speed_source"] == "status.performance of the InferenceSet: 120,000 tokens per minute and replica"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--metrics", "nowhere.txt"], "nowhere.txt: cannot be read: No such file or directory"),
        (["--metrics", "http://127.0.0.1:9/metrics"], "http://127.0.0.1:9/metrics: cannot be read: "),
        (["--metrics", "http://127.0.0.1:port/metrics"], "http://127.0.0.1:port/metrics: cannot be read: nonnumeric"),
        (["--tokens-per-second", "inf"], "--tokens-per-second inf: is inf times the speed of this GPU's public"),
        (["--tokens-per-second", "1e-300"], "--tokens-per-second 1e-300: is "),
        (["--kaito-status", "nowhere.json"], "nowhere.json: cannot be read: No such file or directory"),
        (["--tokens-per-second", "5", "--metrics", "x"], "--tokens-per-second and --metrics cannot be combined"),
        (["--tokens-per-second", "5", "--model", "other"], "--model other: no such model; the environment has default"),
        (["--model", "default"], "--model: names the model of a measurement"),
        (["--share", "other=3"], "--share other: no such model; the environment has default"),
        (["--share", "default"], "--share default: must be MODEL=PERCENT, such as default=70"),
        (["--share", "default=70"], "--share: the percentages of all models must add up to 100, not 70"),
        (["--share", "default=nan"], "--share"),
    ],
)
def test_unusable_arguments(arguments: list[str], text: str) -> None:
    ran = run("dev", "--users", "10", *arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert text in ran.stderr
    assert json.loads(run("dev", "--users", "10", *arguments, "--json").stdout)["exit_status"] == 2


@pytest.mark.parametrize(
    "arguments", [["--users", "0"], ["--users", "ten"], [], ["--users", "5", "--active-percent", "0"]]
)
def test_numbers_out_of_range(arguments: list[str]) -> None:
    ran = run("dev", *arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("up 1\n", "has no metric of vLLM"),
        ("vllm:num_requests_running 0\n", "no answer has been generated yet"),
        ("", "has no metric of vLLM"),
        (METRICS.replace(" 80.0", " inf").replace(" 1000.0", " NaN"), "no answer has been generated yet"),
    ],
)
def test_metrics_without_figures(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "metrics.txt"
    path.write_text(content, encoding="utf-8")
    ran = run("dev", "--users", "10", "--metrics", str(path))
    assert (ran.exit_code, f"{path}: {text}" in ran.stderr) == (2, True)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "is not JSON"),
        ("[]", "is no Workspace or InferenceSet of KAITO"),
        ('{"kind": "Workspace"}', "has no status.performance.metrics.peakTokensPerMinute"),
        ('{"kind": ["Workspace"]}', "is no Workspace or InferenceSet of KAITO"),
        ('{"kind": "Workspace", "status": "none"}', "has no status.performance.metrics.peakTokensPerMinute"),
        ('{"kind": "Workspace", "status": {"performance": []}}', "has no status.performance.metrics.peak"),
        ("[" * 100_000, "is not JSON"),
        (json.dumps(workspace("1e300")), "peakTokensPerMinute = '1e300': must be a number above 0 and at most"),
        (json.dumps(workspace("many")), "peakTokensPerMinute = 'many': must be a number above 0"),
        (json.dumps({"kind": "List", "items": [workspace(), workspace()]}), "not a list of several"),
    ],
)
def test_a_status_without_a_benchmark(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "status.json"
    path.write_text(content, encoding="utf-8")
    ran = run("dev", "--users", "10", "--kaito-status", str(path))
    assert (ran.exit_code, text in ran.stderr) == (2, True)


def test_environments_of_several_models_and_of_unknown_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dev = (ROOT / "environments" / "dev.toml").read_text(encoding="utf-8")
    more = '\n[models.big]\npreset = "phi-4"\ninstance_type = "Standard_NC24ads_A100_v4"\n'
    (tmp_path / "two.toml").write_text(dev + more, encoding="utf-8")
    ours = dev.replace('"Standard_NV36ads_A10_v5"', '""\nnode_labels = { gpu = "ours" }')
    new = '\n[kaito]\ndistribution = "helm"\nversion = "0.12.0"\nprovisioner = "none"\n'
    (tmp_path / "new.toml").write_text(ours + new, encoding="utf-8")
    (tmp_path / "off.toml").write_text(dev + "\n[kaito]\nenabled = false\n", encoding="utf-8")
    monkeypatch.setenv("AKS_KAITO_ENVIRONMENTS_DIR", str(tmp_path))
    found = sized("two", "--users", "8000", "--share", "big=75")
    assert [each["key"] for each in found["keys"]][:2] == ["model.replicas", "models.big.replicas"]
    default, big = (each["simulation"]["questions"] for each in found["models"])
    assert default > 0 < big
    unknown = sized("new", "--users", "10", status=3)
    assert unknown["answer"] == "new for 10 users: the speed of a model is unknown."
    assert [each["replicas"] for each in unknown["models"]] == [None]
    measured = sized("new", "--users", "10", "--tokens-per-second", "900")
    assert [each["replicas"] for each in measured["models"]] == [1]
    ran = run("two", "--users", "10", "--tokens-per-second", "100")
    assert (ran.exit_code, "say with --model which one was measured: default, big" in ran.stderr) == (2, True)
    off = run("off", "--users", "10")
    assert (off.exit_code, "has no model of its own to size" in off.stderr) == (2, True)


def test_a_load_beyond_one_environment_is_a_blocker() -> None:
    found = sized("prod", "--users", "1000000", "--questions-per-hour", "60", status=1)
    assert found["answer"] == "prod for 1000000 users: no number of replicas suffices."
    assert found["next"].startswith("choose another instance_type in environments/prod.toml, then make size ENV=prod")
    assert "model.replicas" not in {each["key"] for each in found["keys"]}
    assert {each["subject"] for each in found["findings"] if each["state"] == "blocker"} >= {"model default"}
    late = sized("dev", "--users", "10", "--first-text-seconds", "0.01", status=1)
    assert late["models"][0]["is_enough"] is False


def test_connections_and_storage_of_the_database() -> None:
    assert [database.connections_of(each) for each in ("B_Standard_B1ms", "GP_Standard_D2ds_v5")] == [35, 844]
    assert [database.connections_of(each) for each in ("MO_Standard_E2ds_v5", "GP_Standard_D96ds_v5")] == [1703, 4985]
    assert database.sku_for(90, "B_Standard_B1ms") == "B_Standard_B2s"
    assert database.sku_for(90, "GP_Standard_D8ds_v5") == "GP_Standard_D8ds_v5"
    assert database.sku_for(5000, "B_Standard_B1ms") is None
    assert (database.storage_for(20, 32), database.storage_for(1, 128), database.storage_for(9000, 32)) == (
        64,
        128,
        None,
    )


def test_the_pages_table_is_the_scripts() -> None:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import sizing  # noqa: PLC0415

    text = PAGE.read_text(encoding="utf-8")
    shown = text.partition("<!-- generated: python benchmarks/sizing.py -->\n")[2].partition("\n<!-- end")[0]
    assert shown.splitlines() == list(sizing.table())
