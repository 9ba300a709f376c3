"""The simulation against the chat's embedded engine: llama.cpp on this machine's CPU, with two answers at once."""

import http.client
import json
import random
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from aks_kaito_cli.sizing.load import SECONDS_PER_HOUR, Length, Load
from aks_kaito_cli.sizing.simulation import Fleet, Outcome, share, simulate
from aks_kaito_cli.sizing.speed import Speed

ROOT = Path(__file__).parents[1]
APP_PYTHON = ROOT / ".venv-app" / "bin" / "python"
AT_ONCE = 2
USERS = (4, 8)
ANSWER_TOKENS = 32
THINK_SECONDS = 2.0
MEASURED_SECONDS, WARM_UP_SECONDS = 30.0, 5.0
CALIBRATIONS = 4
TIMEOUT_SECONDS = 120
WORDS = ("river", "stone", "cloud", "engine", "garden", "letter", "window", "market", "summer", "bridge")


class Answer(NamedTuple):
    """One answer; times in seconds from the question."""

    began: float
    first: float
    last: float
    prompt_tokens: int
    tokens: int


@contextmanager
def engine() -> Iterator[int]:
    """Run the engine, and yield its port."""
    command = [APP_PYTHON, "-m", "kaito_chat.engine.embedded", "--port", "0", "--with-parent"]
    with subprocess.Popen(
        command, cwd=ROOT / "app", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "listening on" not in line:
                raise SystemExit("the embedded engine does not run here; install it with make chat")
            yield int(line.strip().rpartition(":")[2])
        finally:
            process.terminate()


def ask(port: int, chance: random.Random) -> Answer:
    """Ask a question that no earlier one begins with, and read the whole answer."""
    words = " ".join(chance.choice(WORDS) for _ in range(60))
    body = {
        "messages": [{"role": "user", "content": f"{chance.random()} Write a long story about: {words}"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": ANSWER_TOKENS,
        "temperature": 0,
        "ignore_eos": True,
        "cache_prompt": False,
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    began = time.monotonic()
    first = last = 0.0
    prompt = tokens = 0
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        for line in connection.getresponse():
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if usage := event.get("usage"):
                prompt, tokens = usage["prompt_tokens"], usage["completion_tokens"]
            if any(choice["delta"].get("content") for choice in event.get("choices") or []):
                last = time.monotonic() - began
                first = first or last
    finally:
        connection.close()
    return Answer(began, first, last, prompt, tokens)


def at_once(port: int, streams: int, seed: int) -> list[Answer]:
    """Return answers of some questions that are asked at the same time, several times."""
    found: list[Answer] = []

    def one(number: int) -> None:
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 (no secret)
        found.extend(ask(port, chance) for _ in range(CALIBRATIONS))

    in_threads(one, streams)
    return found


def in_threads(work: Callable[[int], None], number: int) -> None:
    """Do something in a number of threads at once."""
    threads = [threading.Thread(target=work, args=(each,)) for each in range(number)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def calibrate(port: int, seed: int) -> tuple[Speed, float, float]:
    """Return the speed from one and two streams, the tokens of a prompt, and the tokens per second of one stream."""
    alone, two = at_once(port, 1, seed), at_once(port, AT_ONCE, seed + 1)
    prompt = statistics.mean(each.prompt_tokens for each in alone)
    step = statistics.median((each.last - each.first) / (each.tokens - 1) for each in alone)
    read = statistics.median(each.first / each.prompt_tokens for each in alone)
    seconds = max(each.began + each.last for each in two) - min(each.began for each in two)
    # Two streams: the time of all their tokens, less the time in which their prompts were read.
    together = (seconds - len(two) * prompt * read) / (sum(each.tokens for each in two) / AT_ONCE)
    speed = Speed(step, max(0.0, together - step), 0.0, 1 / read, AT_ONCE, 1e9, "measured")
    return speed, prompt, 1 / step


def measure(port: int, users: int, seed: int) -> Outcome:
    """Let users ask the engine and think, and return the same figures as a simulation."""
    begin = time.monotonic() + WARM_UP_SECONDS
    end = begin + MEASURED_SECONDS
    found: list[Answer] = []

    def one(number: int) -> None:
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 (no secret)
        while True:
            time.sleep(chance.expovariate(1 / THINK_SECONDS))
            if time.monotonic() >= end:
                return
            found.append(ask(port, chance))

    in_threads(one, users)
    measured = [each for each in found if each.began >= begin]
    within = [each for each in found if begin <= each.began + each.last <= end]
    return Outcome(
        asked=len(measured),
        answered=len(measured),
        first_text=sorted(each.first for each in measured),
        tokens_per_second=sum(each.tokens for each in within) / MEASURED_SECONDS,
    )


def predict(speed: Speed, prompt: float, users: int) -> Outcome:
    """Simulate the same users for an hour."""
    load = Load(users, SECONDS_PER_HOUR / THINK_SECONDS, Length(prompt, 0.0), Length(ANSWER_TOKENS, 0.0))
    return simulate(load, Fleet(speed, 1, 1), SECONDS_PER_HOUR)


def compare(rounds: int) -> Iterator[str]:
    """Yield a line for each round and number of users, then the medians of predicted to measured."""
    ratios: dict[tuple[int, str], list[float]] = {}
    with engine() as port:
        at_once(port, AT_ONCE, 0)
        for number in range(rounds):
            for users in USERS:
                speed, prompt, alone = calibrate(port, 100 * number)
                real, simulated = measure(port, users, number), predict(speed, prompt, users)
                mean = statistics.mean(real.first_text), statistics.mean(simulated.first_text)
                half = share(real.first_text, 0.5), share(simulated.first_text, 0.5)
                for name, (one, other) in {
                    "tokens/s": (real.tokens_per_second, simulated.tokens_per_second),
                    "first text, mean": mean,
                    "first text, median": half,
                }.items():
                    ratios.setdefault((users, name), []).append(other / one)
                yield (
                    f"{users} users, one stream {alone:.0f} tokens/s, two {2 / speed.step(2, 0):.0f}: measured "
                    f"{real.tokens_per_second:.0f} tokens/s, first text {mean[0]:.2f} s; simulated "
                    f"{simulated.tokens_per_second:.0f} tokens/s, {mean[1]:.2f} s ({real.asked} questions)"
                )
    for (users, name), values in sorted(ratios.items()):
        spread = f"{min(values):.2f}-{max(values):.2f}"
        yield f"{users} users, {name}: predicted / measured {statistics.median(values):.2f} ({spread})"
