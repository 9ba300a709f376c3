"""The simulation against the chat's embedded engine: llama.cpp on this machine's CPU, with two answers at once."""

import http.client
import json
import os
import random
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
MEASURED_SECONDS, WARM_UP_SECONDS = 20.0, 3.0
POLL_SECONDS = 0.01
CALIBRATIONS = 4
TIMEOUT_SECONDS = 120
WORDS = ("river", "stone", "cloud", "engine", "garden", "letter", "window", "market", "summer", "bridge")


class Clock:
    """The engine's own time: the processor's time that it got, and the time in which it had nothing to do.

    Other work on the machine does not slow it down. While nobody asks, it jumps to the end of the shortest thought.
    """

    def __init__(self, pid: int) -> None:
        """Start at the engine's time so far."""
        self._tasks = Path("/proc", str(pid), "task")
        self._idle = 0.0
        self._lock = threading.Lock()
        self._ends: dict[int, float] = {}
        self._asking = 0

    def now(self) -> float:
        """Return the time in seconds."""
        busy = sum(int(each.read_text().split()[0]) for each in self._tasks.glob("*/schedstat"))
        return busy / 1e9 + self._idle

    def think(self, user: int, seconds: float) -> None:
        """Wait."""
        end = self.now() + seconds
        with self._lock:
            self._ends[user] = end
        while (now := self.now()) < end:
            with self._lock:
                if not self._asking and end == min(self._ends.values()):
                    self._idle += end - now
            time.sleep(POLL_SECONDS)
        with self._lock:
            del self._ends[user]
            self._asking += 1

    def answered(self) -> None:
        """Note that a user asks no more."""
        with self._lock:
            self._asking -= 1


class Answer(NamedTuple):
    """One answer; times in seconds, those of the text from the question."""

    began: float
    first: float
    last: float
    prompt_tokens: int
    tokens: int


class Engine(NamedTuple):
    """The running engine."""

    port: int
    clock: Clock


@contextmanager
def running() -> Iterator[Engine]:
    """Run the engine."""
    command = [APP_PYTHON, ROOT / "benchmarks" / "chat_engine.py"]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT / "app")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "listening on" not in line:
                raise SystemExit("the embedded engine does not run here; install it with make chat")
            yield Engine(int(line.strip().rpartition(":")[2]), Clock(process.pid))
        finally:
            process.terminate()


def ask(engine: Engine, chance: random.Random) -> Answer:
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
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=TIMEOUT_SECONDS)
    began = engine.clock.now()
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
                last = engine.clock.now() - began
                first = first or last
    finally:
        connection.close()
    return Answer(began, first, last, prompt, tokens)


def at_once(engine: Engine, streams: int, seed: int) -> list[Answer]:
    """Return answers of some questions that are asked at the same time, several times."""
    found: list[Answer] = []

    def one(number: int) -> None:
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 (no secret)
        found.extend(ask(engine, chance) for _ in range(CALIBRATIONS))

    in_threads(one, streams)
    return found


def in_threads(work: Callable[[int], None], number: int) -> None:
    """Do something in a number of threads at once."""
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(work, range(number)))


def calibrate(engine: Engine, seed: int) -> tuple[Speed, float]:
    """Return the speed from one and two streams, and the tokens of a prompt."""
    alone, two = at_once(engine, 1, seed), at_once(engine, AT_ONCE, seed + 1)
    prompt = statistics.mean(each.prompt_tokens for each in alone)
    step = statistics.mean((each.last - each.first) / (each.tokens - 1) for each in alone)
    read = statistics.mean(each.first / each.prompt_tokens for each in alone)
    seconds = max(each.began + each.last for each in two) - min(each.began for each in two)
    # Two streams: the time of all their tokens, less the time in which their prompts were read.
    together = (seconds - len(two) * prompt * read) / (sum(each.tokens for each in two) / AT_ONCE)
    speed = Speed(step, max(0.0, together - step), 0.0, 1 / read, AT_ONCE, 1e9, "measured")
    return speed, prompt


def between(before: tuple[Speed, float], after: tuple[Speed, float]) -> tuple[Speed, float]:
    """Return the mean of two calibrations: other work on the machine may have changed meanwhile."""
    (one, prompt), (other, longer) = before, after
    mean = Speed(
        (one.step_seconds + other.step_seconds) / 2,
        (one.step_seconds_per_answer + other.step_seconds_per_answer) / 2,
        0.0,
        2 / (1 / one.prompt_tokens_per_second + 1 / other.prompt_tokens_per_second),
        AT_ONCE,
        1e9,
        "measured",
    )
    return mean, (prompt + longer) / 2


def measure(engine: Engine, users: int, seed: int) -> Outcome:
    """Let users ask the engine and think, and return the same figures as a simulation."""
    begin = engine.clock.now() + WARM_UP_SECONDS
    end = begin + MEASURED_SECONDS
    found: list[Answer] = []

    def one(number: int) -> None:
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 (no secret)
        while True:
            engine.clock.think(number, chance.expovariate(1 / THINK_SECONDS))
            try:
                if engine.clock.now() >= end:
                    return
                found.append(ask(engine, chance))
            finally:
                engine.clock.answered()

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
    with running() as engine:
        at_once(engine, AT_ONCE, 0)
        for number in range(rounds):
            for users in USERS:
                before = calibrate(engine, 100 * number)
                real = measure(engine, users, number)
                speed, prompt = between(before, calibrate(engine, 100 * number + 50))
                simulated = predict(speed, prompt, users)
                mean = statistics.mean(real.first_text), statistics.mean(simulated.first_text)
                half = share(real.first_text, 0.5), share(simulated.first_text, 0.5)
                for name, (one, other) in {
                    "tokens/s": (real.tokens_per_second, simulated.tokens_per_second),
                    "first text, mean": mean,
                    "first text, median": half,
                }.items():
                    ratios.setdefault((users, name), []).append(other / one)
                yield (
                    f"{users} users, one stream {1 / speed.step_seconds:.0f} tokens/s, two {2 / speed.step(2, 0):.0f}: "
                    f"measured {real.tokens_per_second:.0f} tokens/s, first text {mean[0]:.2f} s; simulated "
                    f"{simulated.tokens_per_second:.0f} tokens/s, {mean[1]:.2f} s ({real.asked} questions)"
                )
    for (users, name), values in sorted(ratios.items()):
        spread = f"{min(values):.2f}-{max(values):.2f}"
        yield f"{users} users, {name}: predicted / measured {statistics.median(values):.2f} ({spread})"
