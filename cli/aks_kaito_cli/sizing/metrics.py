"""The figures of a running vLLM: its own metrics, in Prometheus's text format, of a file or an address."""

import math
import re
import time
import urllib.request
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path

from aks_kaito_cli.sizing.speed import Speed

_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 64 * 2**20
# Between the two readings of an address.
PAUSE_SECONDS = 15.0
_LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>[-+.\deEINFinfNa]+)(?:\s+\d+)?")
_SIZE = re.compile("[0-9]{1,12}")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# vLLM renamed the first of them.
_BETWEEN_TOKENS = ("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds")
_PROMPT, _ANSWER = "vllm:request_prompt_tokens", "vllm:request_generation_tokens"
_HITS = ("vllm:prefix_cache_hits", "vllm:gpu_prefix_cache_hits")
_QUERIES = ("vllm:prefix_cache_queries", "vllm:gpu_prefix_cache_queries")


@dataclass(frozen=True)
class Measured:
    """The measured figures; None where the server has none yet.

    Attributes:
        answers: Answers at once, at the time of the reading.
        seconds_per_token: Mean time between two tokens of an answer.
        prompt_tokens: Mean length of prompts.
        answer_tokens: Mean length of answers.
        cached_share: Share of the prompts that was in the prefix cache.
        cache_tokens: Tokens that the KV cache holds.
    """

    answers: float
    seconds_per_token: float
    prompt_tokens: float | None
    answer_tokens: float | None
    cached_share: float | None
    cache_tokens: float | None


class MetricsError(ValueError):
    """Metrics that cannot be read, or have nothing about a vLLM server that answered."""


def read(place: str) -> Measured:
    """Read a file, or an address twice with a pause between, so that only the load of the pause counts.

    Raises:
        MetricsError: There are no usable figures.
    """
    if not place.startswith(("http://", "https://")):
        return measured(_of_file(place), place)
    first = _of_address(place)
    time.sleep(PAUSE_SECONDS)
    return measured(_of_address(place), place, earlier=first)


def measured(text: str, place: str, earlier: str = "") -> Measured:
    """Return the figures of a text, since the start of the server or since an earlier text.

    Raises:
        MetricsError: There are no usable figures.
    """
    now, before = _sums(text), _sums(earlier)
    if not any(name.startswith("vllm:") for name in now):
        raise MetricsError(f"{place}: has no metric of vLLM, such as {_BETWEEN_TOKENS[0]}")
    if any(now.get(name, 0.0) < value for name, value in before.items() if name.endswith("_count")):
        raise MetricsError(f"{place}: its counters fell between both readings: the server restarted; read again")
    since = {name: value - before.get(name, 0.0) for name, value in now.items()}
    between = next((found for name in _BETWEEN_TOKENS if (found := _mean(since, name))), None)
    if between is None:
        when = "between both readings" if earlier else "yet"
        raise MetricsError(f"{place}: no answer has been generated {when}; measure while users or a test ask")
    running = (now.get("vllm:num_requests_running", 0.0) + before.get("vllm:num_requests_running", 0.0)) / (
        2 if earlier else 1
    )
    return Measured(
        answers=max(1.0, running),
        seconds_per_token=between,
        prompt_tokens=_mean(since, _PROMPT),
        answer_tokens=_mean(since, _ANSWER),
        cached_share=_ratio(since, _HITS, _QUERIES),
        cache_tokens=_cache_tokens(text),
    )


def calibrated(speed: Speed, found: Measured, prompt_tokens: float, answer_tokens: float) -> Speed:
    """Return a speed that has the measured time between tokens at the measured number of answers."""
    prompt = prompt_tokens if found.prompt_tokens is None else found.prompt_tokens
    answer = answer_tokens if found.answer_tokens is None else found.answer_tokens
    unread = prompt * (1 - (found.cached_share or 0.0))
    cached = found.answers * (prompt + answer / 2)
    expected = speed.step(found.answers, cached) + (found.answers - 1) * speed.read(unread) / answer
    source = (
        f"vLLM's metrics: {1 / found.seconds_per_token:.1f} tokens per second and answer, {found.answers:.0f} at once"
    )
    scaled = speed.times(expected / found.seconds_per_token, source)
    if found.cache_tokens is None:
        return scaled
    return replace(scaled, cache_tokens=found.cache_tokens)


def _of_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise MetricsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MetricsError(f"{path}: is no text") from None


def _of_address(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 (http or https, see read)
            found: bytes = response.read(_MOST_BYTES + 1)
    except (OSError, ValueError, HTTPException) as error:
        raise MetricsError(f"{url}: cannot be read: {error}") from None
    if len(found) > _MOST_BYTES:
        raise MetricsError(f"{url}: has more than {_MOST_BYTES // 2**20} MiB, so that it is no list of metrics")
    try:
        return found.decode()
    except UnicodeDecodeError:
        raise MetricsError(f"{url}: is no text") from None


def _sums(text: str) -> dict[str, float]:
    """Return the sum of each metric over its labels: a server has one line for each engine and model."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        try:
            value = float(match["value"])
        except ValueError:
            continue
        if math.isfinite(value):
            found[match["name"]] = found.get(match["name"], 0.0) + value
    return found


def _mean(sums: dict[str, float], histogram: str) -> float | None:
    count = sums.get(f"{histogram}_count", 0.0)
    total = sums.get(f"{histogram}_sum", 0.0)
    return total / count if count > 0 and total > 0 else None


def _ratio(sums: dict[str, float], parts: tuple[str, ...], wholes: tuple[str, ...]) -> float | None:
    part, whole = (
        next((sums[name] for base in names for name in (f"{base}_total", base) if name in sums), None)
        for names in (parts, wholes)
    )
    return min(1.0, max(0.0, part / whole)) if part is not None and whole else None


def _cache_tokens(text: str) -> float | None:
    """Return the size of the KV cache from the labels of `vllm:cache_config_info`."""
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None or match["name"] != "vllm:cache_config_info":
            continue
        labels = dict(_LABEL.findall(match["labels"] or ""))
        blocks, size = labels.get("num_gpu_blocks", ""), labels.get("block_size", "")
        if _SIZE.fullmatch(blocks) and _SIZE.fullmatch(size):
            return float(int(blocks) * int(size)) or None
    return None
