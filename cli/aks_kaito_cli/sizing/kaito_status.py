"""The throughput that KAITO 0.12 measures when a model has loaded: `status.performance` of its objects.

KAITO counts tokens of prompts and answers per minute, with as many questions at once as the KV cache has room for.
See: https://github.com/kaito-project/kaito/blob/v0.12.0/pkg/workspace/controllers/benchmark.go
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aks_kaito_cli.sizing.speed import Speed

_OF_ONE, _OF_ALL = "peakTokensPerMinute", "aggregatedPeakTokensPerMinute"
_UNIT = "tokens/min"
# The lengths of KAITO's benchmark, which an InferenceSet does not repeat.
_PROMPT_TOKENS, _ANSWER_TOKENS = 2048, 256
_SECONDS_PER_MINUTE = 60
_FROM_STDIN = "-"
_MOST = 1e12


class StatusError(ValueError):
    """A file without a usable benchmark."""


def calibrated(speed: Speed, place: str) -> Speed:
    """Return a speed that has the throughput in a file, or in standard input for `-`.

    Raises:
        StatusError: The file is not JSON of a Workspace or InferenceSet with a benchmark.
    """
    per_minute, prompt, answer, answers, kind = _benchmark(_object(place), place)
    measured = per_minute / _SECONDS_PER_MINUTE * answer / (prompt + answer)
    most = min(answers, speed.most_answers(prompt, answer)) if answers else speed.most_answers(prompt, answer)
    factor = measured / speed.tokens_per_second(most, prompt, answer)
    source = f"status.performance of the {kind}: {per_minute:,.0f} tokens per minute and replica"
    return speed.times(factor, source)


def _object(place: str) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if place == _FROM_STDIN else Path(place).read_text(encoding="utf-8")
        found = json.loads(text)
    except OSError as error:
        raise StatusError(f"{place}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise StatusError(f"{place}: is not JSON ({error}); write it with kubectl get -o json") from None
    if isinstance(found, dict) and found.get("kind") == "List":
        items = found.get("items")
        found = items[0] if isinstance(items, list) and len(items) == 1 else {}
        if not found:
            raise StatusError(f"{place}: must have one object, not a list of several: name it after kubectl get")
    if not isinstance(found, dict) or found.get("kind") not in ("Workspace", "InferenceSet"):
        raise StatusError(f"{place}: is no Workspace or InferenceSet of KAITO")
    return found


def _benchmark(item: Mapping[str, Any], place: str) -> tuple[float, float, float, float, str]:
    """Return tokens per minute of a replica, the lengths of prompt and answer, answers at once, and the kind."""
    kind = str(item["kind"])
    status = _part(item, "status")
    name = _OF_ALL if kind == "InferenceSet" else _OF_ONE
    metric = _part(_part(_part(status, "performance"), "metrics"), name)
    if not metric:
        raise StatusError(
            f"{place}: has no status.performance.metrics.{name}: KAITO 0.12 writes it when the model has loaded, "
            "unless the annotation kaito.sh/disable-benchmark is set"
        )
    if metric.get("unit", _UNIT) != _UNIT:
        raise StatusError(f"{place}: {name} has the unit {metric['unit']!r}, not {_UNIT}")
    replicas = 1.0
    if kind == "InferenceSet":
        replicas = _number(status.get("readyReplicas"), "status.readyReplicas", place)
    config = _part(metric, "config")
    return (
        _number(metric.get("value"), name, place) / replicas,
        _number(config.get("inputTokens", _PROMPT_TOKENS), "inputTokens", place),
        _number(config.get("outputTokens", _ANSWER_TOKENS), "outputTokens", place),
        _number(config["maxConcurrency"], "maxConcurrency", place) if "maxConcurrency" in config else 0.0,
        kind,
    )


def _part(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object in an object; an empty one if it is absent or has another type."""
    found = item.get(name)
    return found if isinstance(found, dict) else {}


def _number(value: object, name: str, place: str) -> float:
    try:
        found = float(str(value))
    except ValueError:
        found = 0.0
    if not 0 < found <= _MOST:
        raise StatusError(f"{place}: {name} = {value!r}: must be a number above 0 and at most {_MOST:,.0f}")
    return found
