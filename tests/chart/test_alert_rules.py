"""Alert rules in promtool's unit tests: each fires in time, with its texts, and does not fire without a reason."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from support.promtool import check_rules, run_rules
from support.rendering import CHART

GROUPS = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
RULES = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
READY = 'kube_node_status_condition{node="gpu-1",condition="Ready",status="true"}'
GPUS = 'kube_node_status_allocatable{node="gpu-1",resource="nvidia_com_gpu"}'
XID = 'DCGM_FI_DEV_XID_ERRORS{instance="gpu-1",gpu="0",cluster="aks",job="dcgm-exporter"}'
NODE = {"node": "gpu-1", "condition": "Ready", "status": "true"}
MODEL = 'namespace="chat",model="phi"'
CHAT = 'namespace="chat"'
READY_A, READY_B = (f'kaito_chat_model_ready{{{MODEL},pod="{pod}"}}' for pod in "ab")
ASLEEP_A = f'kaito_chat_model_asleep{{{MODEL},pod="a"}}'


class Case(NamedTuple):
    """Series, and the summary of the alert that they cause at a time.

    Attributes:
        series: The values of each series, a minute apart.
        minute: The minute of the check.
        labels: The alert's labels besides its severity; None if it does not fire.
        summary: Its summary.
    """

    series: dict[str, str]
    minute: int
    labels: dict[str, str] | None = None
    summary: str = ""


def requests(answered: str, refused: str, asked: str) -> dict[str, str]:
    """Return the counters of two pods, whose sums the alert compares."""
    return {
        f'kaito_chat_requests_total{{{MODEL},pod="a",outcome="answered"}}': answered,
        f'kaito_chat_requests_total{{{MODEL},pod="b",outcome="refused"}}': asked,
        f'kaito_chat_errors_total{{{MODEL},pod="b",kind="refused"}}': refused,
    }


def first_tokens(seconds: float) -> dict[str, str]:
    """Return a histogram of answers that all begin within a bucket; the next smaller one is empty."""
    edges = {"2.5": 2.5, "5.0": 5, "10.0": 10, "30.0": 30, "+Inf": math.inf}
    return {
        f'kaito_chat_time_to_first_token_seconds_bucket{{{MODEL},le="{name}"}}': "0+6x60" if edge >= seconds else "0x60"
        for name, edge in edges.items()
    }


def dropped(reason: str, values: str) -> dict[str, str]:
    """Return the counter of lost writes for one reason."""
    return {f'kaito_chat_history_dropped_total{{{CHAT},reason="{reason}"}}': values}


CASES: dict[str, list[Case]] = {
    "KaitoGpuNodeNotReady": [
        Case({READY: "1x5 0x20", GPUS: "1x30"}, 17, NODE, "GPU node gpu-1 is not ready"),
        Case({READY: "1x5 0x20", GPUS: "1x30"}, 14),  # for less than ten minutes
        Case({READY: "1x5 0x20", GPUS: "0x30"}, 25),  # a node without GPUs
        Case({READY: "1x30", GPUS: "1x30"}, 25),
    ],
    "KaitoGpuError": [
        Case(
            {XID: "0x10 79x20"},
            13,
            {"instance": "gpu-1", "gpu": "0"},
            "GPU 0 on gpu-1 reported an XID error",
        ),
        # The exporter has no value until the first error.
        Case({XID: "_x10 79x20"}, 13, {"instance": "gpu-1", "gpu": "0"}, "GPU 0 on gpu-1 reported an XID error"),
        Case({XID: "43x10 79x20"}, 13, {"instance": "gpu-1", "gpu": "0"}, "GPU 0 on gpu-1 reported an XID error"),
        Case({XID: "79x60"}, 40),  # an error of the past
        Case({XID: "79x30 0x20"}, 33),  # the exporter has started again
        Case({XID: "0x60"}, 40),
    ],
    "KaitoModelDown": [
        Case(
            {READY_A: "0x60", READY_B: "0x60"},
            41,
            {"namespace": "chat", "model": "phi"},
            "Model phi has not answered for 40 minutes",
        ),
        Case({READY_A: "0x60"}, 30),
        Case(
            {READY_A: "0x60", READY_B: "1x60"},
            50,
        ),
        Case({READY_A: "0x60", READY_B: "0x60", ASLEEP_A: "1x60"}, 45),  # scaled to zero by its schedule
        Case(
            {READY_A: "0x60", READY_B: "0x60", ASLEEP_A: "1x5 0x55"},
            47,
            {"namespace": "chat", "model": "phi"},
            "Model phi has not answered for 40 minutes",
        ),
        Case({READY_A: "0x60", READY_B: "0x60", ASLEEP_A: "1x5 0x55"}, 44),
    ],
    "KaitoModelQueue": [
        *(
            Case(
                {f'vllm{separator}num_requests_waiting{{namespace="chat",model_name="phi",engine="0"}}': "11x20"},
                7,
                {"namespace": "chat", "model_name": "phi"},
                "11 requests wait for model phi",
            )
            for separator in ":_"
        ),
        # Two replicas, one of which is scraped under the other name.
        Case(
            {
                'vllm:num_requests_waiting{namespace="chat",model_name="phi",pod="a"}': "6x20",
                'vllm_num_requests_waiting{namespace="chat",model_name="phi",pod="b"}': "6x20",
            },
            7,
            {"namespace": "chat", "model_name": "phi"},
            "12 requests wait for model phi",
        ),
        Case({'vllm:num_requests_waiting{namespace="chat",model_name="phi"}': "10x20"}, 15),
        Case({'vllm_num_requests_waiting{namespace="chat",model_name="phi"}': "11x20"}, 4),
    ],
    "KaitoChatErrors": [
        Case(
            requests("0+8x40", "0+2x40", "0+2x40"),
            25,
            {"namespace": "chat"},
            "20% of questions get no whole answer",
        ),
        # The first errors of a pod, whose counters have been 0.
        Case(requests("0x40", "0x2 6x30", "0x2 6x30"), 12, None),
        Case(
            requests("0x40", "0x2 1+1x30", "0x2 1+1x30"),
            14,
            {"namespace": "chat"},
            "100% of questions get no whole answer",
        ),
        Case(requests("0+19x40", "0+1x40", "0+1x40"), 30),
        # Questions that are too long are no errors.
        Case(requests("0+1x40", "0x40", "0+9x40"), 30),
    ],
    "KaitoChatSlowFirstToken": [
        Case(
            first_tokens(30),
            30,
            {"namespace": "chat", "model": "phi"},
            "Model phi takes 29s to its first token",
        ),
        Case(first_tokens(5), 30),
    ],
    "KaitoChatHistoryErrors": [
        Case(
            {f"kaito_chat_history_errors_total{{{CHAT}}}": "0+1x40"},
            15,
            {"namespace": "chat"},
            "The chat cannot write its history",
        ),
        Case({f"kaito_chat_history_errors_total{{{CHAT}}}": "5x40"}, 30),
    ],
    "KaitoChatHistoryWaits": [
        Case(
            {f"kaito_chat_history_oldest_pending_seconds{{{CHAT}}}": "0+60x20"},
            7,
            {"namespace": "chat"},
            "7m 0s of conversations are in the chat's memory only",
        ),
        Case({f"kaito_chat_history_oldest_pending_seconds{{{CHAT}}}": "90x20"}, 15),
    ],
    "KaitoChatHistoryLost": [
        *(
            Case(
                dropped(reason, "0x5 3x20"),
                8,
                {"namespace": "chat", "reason": reason},
                f"The chat lost history that it could not store: {reason}",
            )
            for reason in ("full", "refused", "shutdown")
        ),
        Case(dropped("foreign", "0x5 3x20"), 8),
        Case(dropped("full", "3x40"), 30),
    ],
    "KaitoChatSignInFailures": [
        Case(
            {
                f'kaito_chat_sign_ins_total{{{CHAT},outcome="failed"}}': "0+4x40",
                f'kaito_chat_sign_ins_total{{{CHAT},outcome="limited"}}': "0+4x40",
            },
            20,
            {"namespace": "chat"},
            "80 sign-ins failed within ten minutes",
        ),
        Case({f'kaito_chat_sign_ins_total{{{CHAT},outcome="failed"}}': "0+4x40"}, 30),
        Case({f'kaito_chat_sign_ins_total{{{CHAT},outcome="ok"}}': "0+100x40"}, 30),
    ],
    "KaitoChatRefusals": [
        Case(
            {f'kaito_chat_refused_total{{{CHAT},reason="rate"}}': "0+6x40"},
            25,
            {"namespace": "chat", "reason": "rate"},
            "60 requests refused within ten minutes: rate",
        ),
        Case({f'kaito_chat_refused_total{{{CHAT},reason="rate"}}': "0+5x40"}, 30),
    ],
}


def expected(alert: str, case: Case) -> list[dict[str, Any]]:
    """Return the alert that a case expects, in promtool's form."""
    if case.labels is None:
        return []
    rule = RULES[alert]
    text = rule["annotations"]["description"]
    for label, value in case.labels.items():
        text = text.replace(f"{{{{ $labels.{label} }}}}", value)
    return [
        {
            "exp_labels": case.labels | {"severity": rule["labels"]["severity"]},
            "exp_annotations": {"summary": case.summary, "description": text},
        }
    ]


def test_the_rules_are_valid(tmp_path: Path) -> None:
    check_rules(GROUPS, tmp_path)


def test_every_alert_has_cases_in_which_it_fires_and_does_not() -> None:
    assert set(CASES) == set(RULES)
    for alert, cases in CASES.items():
        assert {case.labels is None for case in cases} == {True, False}, alert


@pytest.mark.parametrize(
    ("alert", "case"),
    [
        pytest.param(alert, case, id=f"{alert}-{number}-{'quiet' if case.labels is None else 'fires'}")
        for alert, cases in CASES.items()
        for number, case in enumerate(cases)
    ],
)
def test_an_alert_fires_with_its_texts_or_not(alert: str, case: Case, tmp_path: Path) -> None:
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [{"eval_time": f"{case.minute}m", "alertname": alert, "exp_alerts": expected(alert, case)}],
    }
    run_rules(GROUPS, [test], tmp_path)
