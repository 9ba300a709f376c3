"""Facts about an answer beside its text: tokens, and the time to the first one."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from kaito_chat.models.progress import Progress
from kaito_chat.texts import Texts

# Beside an answer's mark: it is for people, and nothing that the model hears.
FACTS = "kaito_chat_facts"


def facts_of(progress: Progress, *, streamed: bool) -> dict[str, Any]:
    """The facts about an answer, as its metadata keeps them."""
    usage = progress.usage
    return {
        "prompt": usage.prompt_tokens if usage else None,
        "completion": usage.completion_tokens if usage else None,
        "first_token_seconds": round(progress.first_token_seconds or 0.0, 3),
        "streamed": streamed,
    }


def line(facts: Mapping[str, Any], texts: Texts) -> str:
    """The facts about an answer in words."""
    seconds = facts.get("first_token_seconds")
    return texts.usage(
        _count(facts.get("prompt")),
        _count(facts.get("completion")),
        float(seconds) if isinstance(seconds, int | float) else 0.0,
        streamed=bool(facts.get("streamed")),
    )


def lines(steps: Iterable[Mapping[str, Any]], texts: Texts) -> dict[str, str]:
    """The lines of the answers of a conversation that is resumed, by the ids of their messages."""
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
