"""SECURITY.md and docs/reference/deprecations.md state the application's own numbers and names."""

import re
from pathlib import Path

from kaito_chat.settings import sample

ROOT = Path(__file__).parents[3]


def constant(module: str, name: str) -> str:
    """Return a constant of a module that is not imported, since it would start Chainlit."""
    text = (ROOT / "app" / "kaito_chat" / module).read_text(encoding="utf-8")
    (value,) = re.findall(rf"^{name} = ([\d.]+)$", text, re.MULTILINE)
    return f"{float(value):g}"


def test_the_limits_are_those_of_the_application() -> None:
    text = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
    opening = constant("sockets/packets.py", "OPENING_SECONDS")
    of_a_user = constant("sockets/sessions.py", "MOST_SESSIONS_OF_A_USER")
    searches = constant("routes/conversations.py", "MOST_SEARCHES")
    assert f"session after {opening} seconds is closed" in text
    assert f"sessions ({of_a_user}), searches ({searches})" in text
    assert f"a timeout for each; {constant('sockets/sessions.py', 'MOST_SESSIONS')} sessions" in text
    limits = [constant("chat/sign_in.py", each) for each in ("MOST_FAILURES", "WINDOW_SECONDS", "PAUSE_SECONDS")]
    assert limits == ["10", "300", "0.5"]
    assert "ten failures of a name in five minutes, half a second each" in text


def test_the_samples_variables_are_listed_as_deprecated() -> None:
    text = (ROOT / "docs" / "reference" / "deprecations.md").read_text(encoding="utf-8")
    for variable, renamed in (sample.RENAMED | sample.LOCAL | sample.AZURE).items():
        assert f"| chat application | `{variable}` | `KAITO_CHAT_{renamed.field.upper()}` |" in text
