"""The usage line of an answer: token counts, and the time to the first token."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from kaito_chat.models.progress import Progress
from kaito_chat.texts import Texts

# A metadata key of its own, because this is shown to the user and never sent to the model.
FACTS = "kaito_chat_facts"


def facts_of(progress: Progress, *, streamed: bool) -> dict[str, Any]:
    """Return the facts about an answer, as stored in its metadata."""
    usage = progress.usage
    return {
        "prompt": usage.prompt_tokens if usage else None,
        "completion": usage.completion_tokens if usage else None,
        "first_token_seconds": round(progress.first_token_seconds or 0.0, 3),
        "streamed": streamed,
    }


def line(facts: Mapping[str, Any], texts: Texts) -> str:
    """Return the usage line of an answer."""
    seconds = facts.get("first_token_seconds")
    return texts.usage(
        _count(facts.get("prompt")),
        _count(facts.get("completion")),
        float(seconds) if isinstance(seconds, int | float) else 0.0,
        streamed=bool(facts.get("streamed")),
    )


def lines(steps: Iterable[Mapping[str, Any]], texts: Texts) -> dict[str, str]:
    """Return the usage lines of a resumed conversation by message id."""
    found = {str(step.get("id")): _kept(step.get("metadata")) for step in steps}
    return {id_: line(facts, texts) for id_, facts in found.items() if facts}


def _kept(metadata: object) -> Mapping[str, Any]:
    if isinstance(metadata, str):  # as SQLite keeps it
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return {}
    facts = metadata.get(FACTS) if isinstance(metadata, dict) else None
    return facts if isinstance(facts, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
