"""Autoscaling and schedules of models, and the users who may wake one: rules, and the values of the chart."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito.charts import ours
from aks_kaito.settings import load
from aks_kaito.settings.scaling import Schedule
from support.environment_files import edited, problems, warnings, written
from support.project import TODAY

HELM = {"kaito": ['distribution = "helm"', 'version = "0.12.0"']}
BOUNDS = {"model": ["min_replicas = 2", "max_replicas = 6"]}
PUBLISHED = {"ingress": ['hostname = "chat.kaito.dev"']}
SIGN_IN = {"chat": ['sign_in = "entra"', 'entra_client_id = "11111111-2222-3333-4444-555555555555"']}
SCHEDULE = """
[model.schedule]
wakes = "07:30"
sleeps = "20:00"
time_zone = "Europe/Rome"
"""
AUTOSCALING = """
[model.autoscaling]
evaluation_window_seconds = 30
scale_up_cooldown_seconds = 600
scale_down_cooldown_seconds = 900
[[model.autoscaling.metrics]]
name = "vllm:num_requests_waiting"
up_threshold = 10
down_threshold = 0.5
[[model.autoscaling.metrics]]
name = "vllm:request_queue_time_seconds"
type = "histogram"
up_threshold = 30
down_threshold = 1
window_seconds = 120
"""


def signed_in(*lines: str) -> dict[str, list[str]]:
    """Return edits for a chat with sign-in and further keys."""
    return {**PUBLISHED, "chat": [*SIGN_IN["chat"], *lines]}


def model(tmp_path: Path, text: str, **edits: list[str]) -> dict[str, Any]:
    """Return the chart's values of the default model."""
    found: dict[str, Any] = ours.chat(load(written(tmp_path, edited(HELM | edits) + text), TODAY))["model"]
    return found


def refused(tmp_path: Path, text: str, **edits: list[str]) -> dict[str, str]:
    return problems(written(tmp_path, edited(HELM | edits) + text))


def test_metrics_and_windows_reach_the_chart(tmp_path: Path) -> None:
    assert model(tmp_path, AUTOSCALING, **BOUNDS)["autoscaling"] == {
        "enabled": True,
        "minReplicas": 2,
        "maxReplicas": 6,
        "evaluationWindowSeconds": 30,
        "scaleUpCooldownSeconds": 600,
        "scaleDownCooldownSeconds": 900,
        "metrics": [
            {"name": "vllm:num_requests_waiting", "type": "gauge", "upThreshold": 10, "downThreshold": 0.5},
            {
                "name": "vllm:request_queue_time_seconds",
                "type": "histogram",
                "upThreshold": 30,
                "downThreshold": 1,
                "windowSeconds": 120,
            },
        ],
    }


def test_bounds_alone_have_the_charts_metrics(tmp_path: Path) -> None:
    expected = {"enabled": True, "minReplicas": 2, "maxReplicas": 6}
    assert model(tmp_path, "", **BOUNDS)["autoscaling"] == expected


def test_a_schedule_is_cron_expressions_of_an_inference_set(tmp_path: Path) -> None:
    found = model(tmp_path, SCHEDULE)
    assert "kind" not in found  # the chart makes every model of the open-source KAITO an InferenceSet
    assert found["schedule"] == {
        "enabled": True,
        "wakes": "30 7 * * 1,2,3,4,5",
        "sleeps": "0 20 * * 1,2,3,4,5",
        "timeZone": "Europe/Rome",
        "replicas": 1,
        "holdSeconds": 3600,
    }


@pytest.mark.parametrize(
    ("keys", "wakes", "sleeps", "hours"),
    [
        ({"wakes": "07:30", "sleeps": "20:00"}, "30 7 * * 1,2,3,4,5", "0 20 * * 1,2,3,4,5", 62.5),
        # A night shift ends on the next day.
        ({"wakes": "20:00", "sleeps": "06:00", "days": ["Saturday"]}, "0 20 * * 6", "0 6 * * 0", 10),
        ({"wakes": "00:00", "sleeps": "23:59", "days": ["Sunday"]}, "0 0 * * 0", "59 23 * * 0", 23 + 59 / 60),
        (
            {"wakes": "08:05", "sleeps": "08:00", "days": ["Monday", "Tuesday"]},
            "5 8 * * 1,2",
            "0 8 * * 2,3",
            47 + 5 / 6,
        ),
    ],
)
def test_times_and_days_become_cron_expressions(keys: dict[str, Any], wakes: str, sleeps: str, hours: float) -> None:
    schedule = Schedule.model_validate(keys)
    assert (schedule.wake_cron, schedule.sleep_cron) == (wakes, sleeps)
    assert schedule.hours_per_week == pytest.approx(hours)


@pytest.mark.parametrize(
    ("more", "edits", "replicas"),
    [("", {}, 1), ("", BOUNDS, 2), ("replicas = 3\n", BOUNDS, 3), ("", {"model": ["replicas = 4"]}, 4)],
)
def test_a_model_wakes_with_the_replicas_of_the_file(
    tmp_path: Path, more: str, edits: dict[str, list[str]], replicas: int
) -> None:
    assert model(tmp_path, SCHEDULE + more, **edits)["schedule"]["replicas"] == replicas


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ("07:30", "7:30", "model.schedule.wakes", "time of day as HH:MM"),
        ("07:30", "24:00", "model.schedule.wakes", "time of day as HH:MM"),
        ("07:30", "20:00", "model.schedule", "different times in wakes and sleeps, not 20:00 twice"),
        ("Europe/Rome", "Europe/Roma", "model.schedule.time_zone", "did you mean Europe/Rom"),
        ("Europe/Rome", "CEST", "model.schedule.time_zone", "a name of the tz database"),
        ("Europe/Rome", "", "model.schedule.time_zone", "a name of the tz database"),
        ("Europe/Rome", "../../etc/passwd", "model.schedule.time_zone", "a name of the tz database"),
        ("Europe/Rome", "Local", "model.schedule.time_zone", "a name of the tz database"),
        ('"Europe/Rome"', '"UTC"\ndays = []', "model.schedule.days", "at least 1"),
        ('"Europe/Rome"', '"UTC"\ndays = ["Monday", "Monday"]', "model.schedule.days", "duplicates"),
        ('"Europe/Rome"', '"UTC"\ndays = ["Mon"]', "model.schedule.days", "Monday"),
        ('"Europe/Rome"', '"UTC"\nreplicas = 0', "model.schedule.replicas", "1"),
        ('"Europe/Rome"', '"UTC"\nhold_seconds = 60', "model.schedule.hold_seconds", "900"),
    ],
)
def test_a_wrong_schedule_is_refused(tmp_path: Path, old: str, new: str, key: str, said: str) -> None:
    found = refused(tmp_path, SCHEDULE.replace(old, new))
    assert list(found) == [key]
    assert said in found[key]


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ("down_threshold = 0.5", "down_threshold = 11", "model.autoscaling.metrics", "at most its up_threshold (10)"),
        ("down_threshold = 0.5", "down_threshold = -1", "model.autoscaling.metrics.down_threshold", "0"),
        ("up_threshold = 10\n", "", "model.autoscaling.metrics.up_threshold", "(missing)"),
        ('"histogram"', '"gauge"', "model.autoscaling.metrics", "must not have window_seconds"),
        ('"vllm:request_queue_time_seconds"', '"vllm_num_requests_waiting"', "model.autoscaling.metrics", "duplicates"),
        ('"vllm:num_requests_waiting"', '"a b"', "model.autoscaling.metrics.name", "name of a Prometheus metric"),
        ("= 600", "= 1801", "model.autoscaling.scale_up_cooldown_seconds", "1800"),
        ("= 900", "= 0", "model.autoscaling.scale_down_cooldown_seconds", "1"),
        ("window_seconds = 30", "window_seconds = 3601", "model.autoscaling.evaluation_window_seconds", "3600"),
    ],
)
def test_wrong_autoscaling_is_refused(tmp_path: Path, old: str, new: str, key: str, said: str) -> None:
    found = refused(tmp_path, AUTOSCALING.replace(old, new), **BOUNDS)
    assert list(found) == [key]
    assert said in found[key]


@pytest.mark.parametrize(
    ("text", "edits", "key", "said"),
    [
        (AUTOSCALING, {}, "model.max_replicas", "must be set beside model.autoscaling"),
        ("", {**BOUNDS, "cluster": ["keda_enabled = false"]}, "cluster.keda_enabled", "true with model.max_replicas"),
        (f"{SCHEDULE}replicas = 7\n", BOUNDS, "model.schedule.replicas", "must be 2 to 6"),
        (f"{SCHEDULE}replicas = 1\n", BOUNDS, "model.schedule.replicas", "must be 2 to 6"),
        (f"{SCHEDULE}replicas = 2\n", {"model": ["replicas = 3"]}, "model.schedule.replicas", "model.replicas (3)"),
        (SCHEDULE, {"chat": ['wake_allowed = "signed_in"']}, "chat.wake_allowed", "the chat knows no users"),
        (
            SCHEDULE,
            signed_in('wake_allowed = "listed"'),
            "chat.wake_users",
            "chat.wake_groups",
        ),
        (SCHEDULE, signed_in('wake_users = ["ada"]'), "chat.wake_users", "no effect"),
        (SCHEDULE, signed_in('wake_groups = ["ada"]'), "chat.wake_groups", "GUID"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(
    tmp_path: Path, text: str, edits: dict[str, list[str]], key: str, said: str
) -> None:
    found = refused(tmp_path, text, **edits)
    assert list(found) == [key]
    assert said in found[key]


@pytest.mark.parametrize(("text", "key"), [(SCHEDULE, "schedule"), ("", "max_replicas")])
def test_the_add_on_is_refused_in_words(tmp_path: Path, text: str, key: str) -> None:
    edits = {"model": ["max_replicas = 3"]} if key == "max_replicas" else {}
    found = problems(written(tmp_path, edited({"kaito": ['version = "0.12.0"'], **edits}) + text))
    assert list(found) == [f"model.{key}"]
    assert (
        "needs the open-source KAITO 0.11.0 or newer: the managed add-on does not offer InferenceSets"
        in found[f"model.{key}"]
    )


def test_other_models_are_named_in_messages(tmp_path: Path) -> None:
    second = '\n[models.second]\npreset = "phi-4"\n' + AUTOSCALING.replace("[model.", "[models.second.").replace(
        "[[model.", "[[models.second."
    )
    assert list(refused(tmp_path, second)) == ["models.second.max_replicas"]


def test_users_who_wake_reach_the_chat(tmp_path: Path) -> None:
    group = "99999999-2222-3333-4444-555555555555"
    listed = ['wake_allowed = "listed"', 'wake_users = ["ada@contoso.com"]', f'wake_groups = ["{group}"]']
    text = edited(HELM | signed_in(*listed)) + SCHEDULE
    settings = ours.chat(load(written(tmp_path, text), TODAY))["chat"]["settings"]
    assert {key: value for key, value in settings.items() if "WAKE" in key} == {
        "KAITO_CHAT_WAKE_ALLOWED": "listed",
        "KAITO_CHAT_WAKE_USERS": ["ada@contoso.com"],
        "KAITO_CHAT_WAKE_GROUPS": [group],
    }
    nobody = ours.chat(load(written(tmp_path, edited(HELM | signed_in()) + SCHEDULE), TODAY))["chat"]["settings"]
    assert not [key for key in nobody if "WAKE" in key]


def test_a_wake_button_without_a_schedule_is_a_warning(tmp_path: Path) -> None:
    text = edited(signed_in('wake_allowed = "signed_in"'))
    assert [each for each in warnings(written(tmp_path, text)) if each.startswith("chat.wake_allowed")] == [
        'chat.wake_allowed = "signed_in": has no effect: no model has a schedule'
    ]


def test_a_wrong_time_is_one_problem(tmp_path: Path) -> None:
    text = edited(HELM) + SCHEDULE.replace('"20:00"', '"24:00"')
    found = problems(written(tmp_path, text))
    assert found == {
        "model.schedule.sleeps": 'model.schedule.sleeps = "24:00": must be a time of day as HH:MM, such as "02:00"'
    }
