"""Answers of subcommands: exit statuses, checks side by side, tables and JSON."""

import json
import threading

import pytest

from aks_kaito_cli.answers import (
    Answer,
    Check,
    Finding,
    State,
    exit_status,
    findings_table,
    show,
    side_by_side,
)
from aks_kaito_cli.azure.errors import AzureAnswerError, SignInError

FINE = Finding("Quota", "vCPUs [of] A10", "ok", "36 of 100")
BAD = Finding("Quota", "addresses", "blocker", "20 of 20 used", "az quota update")


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([], 0),
        (["ok", "info", "warning"], 0),
        (["ok", "unknown"], 3),
        (["unknown", "blocker"], 1),
        (["blocker", "ok"], 1),
    ],
)
def test_a_blocker_precedes_an_undecided_check(states: list[State], status: int) -> None:
    assert exit_status(Finding("a", "b", state, "c") for state in states) == status


def test_checks_run_at_once_and_keep_their_order() -> None:
    barrier = threading.Barrier(20, timeout=20)

    def check(number: int) -> Check:
        def run() -> list[Finding]:
            barrier.wait()
            return [Finding("a", str(number), "ok", "")]

        return Check("a", str(number), run)

    found = side_by_side([check(number) for number in range(20)], ())
    assert [each.subject for each in found] == [str(number) for number in range(20)]


def test_a_sign_in_that_ended_has_its_remedy() -> None:
    def fail() -> list[Finding]:
        raise SignInError("the refresh token was revoked")

    (finding,) = side_by_side([Check("Quota", "vCPUs", fail)], (AzureAnswerError,))
    assert (finding.state, finding.remedy) == ("unknown", "az login")


@pytest.mark.parametrize(
    "error", [OSError("no answer"), KeyError("value"), TypeError("none"), ValueError("not a number")]
)
def test_a_failed_check_is_undecided(error: Exception) -> None:
    def fail() -> list[Finding]:
        raise error

    (finding,) = side_by_side([Check("Quota", "vCPUs", fail)], (OSError,))
    assert (finding.group, finding.subject, finding.state) == ("Quota", "vCPUs", "unknown")
    words = "no answer" if isinstance(error, OSError) else "the answer has another form than expected"
    assert finding.detail.startswith(words)


def test_a_mistake_of_ours_is_no_answer() -> None:
    def fail() -> list[Finding]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        side_by_side([Check("a", "b", fail)], ())


def test_json_has_everything() -> None:
    answer = Answer([FINE, BAD], "It would fail.", "make preflight", 1, {"environment": "dev"})
    assert json.loads(answer.as_json()) == {
        "answer": "It would fail.",
        "next": "make preflight",
        "exit_status": 1,
        "findings": [
            {"group": "Quota", "subject": "vCPUs [of] A10", "state": "ok", "detail": "36 of 100", "remedy": ""},
            {
                "group": "Quota",
                "subject": "addresses",
                "state": "blocker",
                "detail": "20 of 20 used",
                "remedy": "az quota update",
            },
        ],
        "environment": "dev",
    }


def test_the_text_has_tables_remedies_the_sentence_and_the_next_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    answer = Answer([FINE, BAD], "It would fail.", "make preflight", 1, {})
    show(answer, as_json=False)
    text = capsys.readouterr().out
    # Brackets are text, not markup, and a group is named once.
    assert text.count("Quota ") == 1
    assert "vCPUs [of] A10" in text
    assert text.endswith("blocker: addresses: az quota update\nIt would fail.\nNext: make preflight\n")

    show(Answer([FINE, BAD], "It would fail.", "", 1, {}), as_json=False, all_states=False)
    text = capsys.readouterr().out
    assert "A10" not in text
    assert text.endswith("It would fail.\n")

    show(answer, as_json=True)
    assert json.loads(capsys.readouterr().out)["answer"] == "It would fail."
    assert findings_table([FINE]).row_count == 1
