import subprocess
import sys
from pathlib import Path

import pytest

from support.project import ROOT

# In parts, or the check would find them here.
WHAT, WHOEVER = "Wh" + "at", "Who" + "ever"


def check(path: Path, text: str) -> tuple[int, str]:
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, str(ROOT / "tools" / "language.py"), str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'"""{WHAT} the page shows."""', 1),
        (f'raise ValueError(f"{WHAT} is {{missing}}")', 1),
        (f"# One.\n# {WHOEVER} deploys signs in.", 2),
        (f"It ends. {WHOEVER} deploys\nsigns in. Why?", 1),
        (f"## {WHAT} is needed", 1),
        (f"- **{WHAT}ever stops it.**", 1),
        ("Keep it for" + "\never.", 1),
    ],
)
def test_a_planted_sentence_is_found(text: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / "planted.md"
    code, words = check(path, text)
    assert code == 1
    assert words.startswith(f"{path}:{line}: ")
    assert words.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        f"{WHAT} is KAITO?",
        f'ask(page, "{WHAT} is\n  KAITO?")',
        f"The test says what it needs. See {WHAT}sApp.",
        f"| Command | {WHAT} it does |",
        "Run it forever, for everybody.",
    ],
)
def test_questions_and_other_words_are_allowed(text: str, tmp_path: Path) -> None:
    assert check(tmp_path / "allowed.md", text) == (0, "")
