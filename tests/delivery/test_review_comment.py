"""The text of a review's comment: its parts, their length, and a price list that is out of reach."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

import review_comment

COMMIT = "0123456789abcdef" * 2 + "01234567"
DIFFERENCE = f"### Synthesized Terraform, compared with `{COMMIT}`\n\n| **[† replaces](https://docs.example/x#y)** |\n"


def test_links_and_hashes_are_shortened() -> None:
    text = review_comment.comment(DIFFERENCE, [f"### Cost of `dev`, compared with `{COMMIT}`"], COMMIT)
    assert text == (
        "### Synthesized Terraform, compared with `0123456789`\n\n| **† replaces** |\n\n"
        "### Cost of `dev`, compared with `0123456789`\n"
    )


def test_a_long_difference_is_cut_at_a_line_and_its_fold_is_closed() -> None:
    rows = "\n".join(f"| row {number} |" for number in range(20_000))
    cost = "### Cost of `dev`\n" + "\n".join(f"- line {number}" for number in range(20_000))
    text = review_comment.comment(f"# D\n<details><summary>x</summary>\n{rows}\n</details>", [cost], "main")
    assert len(text) < review_comment.LIMIT
    assert text.count("<details>") == text.count("</details>") == 1
    assert text.count("The rest is too long for a comment: run `make diff` and `make cost`.") == 2
    assert all(line.endswith("|") for line in text.splitlines() if line.startswith("| row"))
    assert "### Cost of `dev`" in text


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "environments").mkdir()
    for name in ("dev", "prod"):
        (tmp_path / "environments" / f"{name}.toml").touch()
    monkeypatch.setattr(review_comment, "ROOT", tmp_path)
    return tmp_path


def ran(monkeypatch: pytest.MonkeyPatch, *, diff: int = 0, cost: int = 0) -> list[list[str]]:
    """Run the program with subcommands that end with these exit statuses, and return their arguments."""
    asked: list[list[str]] = []

    def run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        asked.append(list(arguments))
        status = diff if arguments[0] == "diff" else cost
        said = f"{arguments[0]} {arguments[-1]}" if status in (0, 3) else ""
        return subprocess.CompletedProcess([], status, said, "no  answer\n" if status else "")

    monkeypatch.setattr(review_comment, "run", run)
    monkeypatch.setattr("sys.argv", ["review_comment.py", "origin/main"])
    review_comment.main()
    return asked


def test_every_environments_cost_is_asked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(monkeypatch) == [
        ["diff", "--base", "origin/main", "--markdown"],
        ["cost", "--diff", "origin/main", "--format", "markdown", "--", "dev"],
        ["cost", "--diff", "origin/main", "--format", "markdown", "--", "prod"],
    ]
    text = (project / "dist" / "review-comment.md").read_text(encoding="utf-8")
    assert text == "diff --markdown\n\ncost dev\n\ncost prod\n"


def test_a_price_list_that_does_not_answer_stops_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(monkeypatch, cost=3)
    path = project / "dist" / "review-comment.md"
    assert path.read_text(encoding="utf-8") == "diff --markdown\n\ncost dev\n\ncost prod\n"
    ran(monkeypatch, cost=2)
    assert "\nThe cost of `prod` is unknown: no answer\n" in path.read_text(encoding="utf-8")


def test_a_difference_that_cannot_be_made_fails(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="no  answer"):
        ran(monkeypatch, diff=2)
    assert not (project / "dist").exists()
