"""The models in a server's list: those that can chat, their context windows, and the default one."""

import re
from typing import Any

import httpx

from kaito_chat.backends.error_responses import http_error, not_api_error
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.interface import Choice, ServedModel
from kaito_chat.backends.responses import json_of, object_of

MOST_CHOICES = 1000
LONGEST_ID = 256
# Fields in which servers state the purpose of a model.
PURPOSES = ("task", "type", "mode", "pipeline_tag")
SILENT = re.compile(
    r"embed|rerank|similarity|score|classif|moderation|speech|transcri|audio|image|vision.?encoder", re.IGNORECASE
)
CHATTY = re.compile(r"chat|completion|generat|llm|text2text|text-to-text", re.IGNORECASE)
# For servers that state no purpose: usual names of models that cannot chat.
SILENT_NAME = re.compile(
    r"(^|[^a-z0-9])(embed(ding)?s?|embedder|rerank(er)?|bge|gte|e5|minilm|colbert|cross-encoder|whisper|clip)([^a-z]|$)",
    re.IGNORECASE,
)


def served_by(response: httpx.Response, wanted: str | None) -> ServedModel:
    """Return the default model of a response to `/v1/models`, with the choices that it lists.

    Raises:
        BackendError: It is not a list, or it lists no model that can chat.
    """
    if error := not_api_error(response):
        raise error
    if response.is_error:
        raise http_error(response)
    entries = entries_of(response)
    if entries is None:
        raise BackendError(Kind.GARBLED, "/v1/models does not answer with a list of models")
    choices = choices_of(entries)
    if choices or wanted:
        found = next((each for each in choices if each.id == wanted), None)
        if found is None and wanted:
            first = window_of(entries[0], entries) if entries else None
            own = next((window_of(entry, entries) for entry in entries if entry.get("id") == wanted), first)
            return ServedModel(wanted, own, choices, listed=any(entry.get("id") == wanted for entry in entries))
        chosen = found or choices[0]
        return ServedModel(chosen.id, chosen.window_tokens, choices, listed=True)
    if entries:
        raise BackendError(Kind.NO_CHAT, "only models for embeddings or ranking are served")
    raise BackendError(Kind.NOT_READY, "no model is loaded")


def entries_of(response: httpx.Response) -> list[dict[str, Any]] | None:
    """Return the entries of a list of models; `None` if the response is no such list."""
    entries = object_of(json_of(response)).get("data")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    return entries[:MOST_CHOICES]


def choices_of(entries: list[dict[str, Any]]) -> tuple[Choice, ...]:
    """Return the models and adapters that can chat, models first."""
    found: dict[str, Choice] = {}
    for entry in entries:
        name = entry.get("id")
        if isinstance(name, str) and 0 < len(name) <= LONGEST_ID and name.isprintable() and can_chat(entry):
            parent = entry.get("parent")
            parent = parent if isinstance(parent, str) and parent and parent != name else None
            found.setdefault(name, Choice(name, window_of(entry, entries), parent))
    return tuple(sorted(found.values(), key=lambda choice: choice.parent is not None))


def window_of(entry: dict[str, Any], entries: list[dict[str, Any]]) -> int | None:
    """Return a model's context window: its own, or its parent's."""
    seen: list[object] = []
    while entry.get("id") not in seen:
        window = entry.get("max_model_len")
        if isinstance(window, int) and not isinstance(window, bool) and window > 0:
            return window
        seen.append(entry.get("id"))
        parent = entry.get("parent")
        entry = next((each for each in entries if parent and each.get("id") == parent), entry)
    return None


def can_chat(entry: dict[str, Any]) -> bool:
    """Return whether a model can chat: by the purpose that its server states, or else by its name."""
    able = entry.get("capabilities")
    if isinstance(able, dict) and isinstance(able.get("chat_completion", able.get("completion_chat")), bool):
        return bool(able.get("chat_completion", able.get("completion_chat")))
    said = [str(entry[key]) for key in PURPOSES if isinstance(entry.get(key), str)]
    if isinstance(able, list):
        said += [str(each) for each in able]
    if any(CHATTY.search(purpose) for purpose in said):
        return True
    if any(SILENT.search(purpose) for purpose in said):
        return False
    return not SILENT_NAME.search(str(entry.get("id", "")))
