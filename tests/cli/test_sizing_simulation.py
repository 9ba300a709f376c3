"""The simulation of users and replicas, against theory, and its own invariants."""

import itertools
import math
import random
import re
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aks_kaito_cli.sizing import hardware, routing, simulation
from aks_kaito_cli.sizing.chat_pods import ANSWERS_PER_POD, CONNECTIONS_PER_POD
from aks_kaito_cli.sizing.load import ANSWER, PROMPT, Length, Load
from aks_kaito_cli.sizing.replicas import MOST_REPLICAS, Target, smallest
from aks_kaito_cli.sizing.simulation import Fleet, Outcome, share, simulate
from aks_kaito_cli.sizing.speed import Speed
from support.project import ROOT

# Figures of a small model on a small GPU.
REAL = Speed(0.017, 0.00015, 2.8e-7, 9800, 256, 100_000, "test")


def erlang_c(servers: int, offered: float) -> float:
    """Return the probability that a customer of M/M/c waits."""
    terms = [offered**each / math.factorial(each) for each in range(servers)]
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(terms) + last)


@pytest.mark.parametrize(("servers", "utilization"), [(1, 0.5), (4, 0.6), (8, 0.7)])
def test_constant_speed_is_m_m_c(servers: int, utilization: float) -> None:
    # One token in a hundredth of a second, however many answers run: short enough that no question times out.
    step = 0.01
    service = 99 * step
    rate = utilization * servers / service
    users = 1000
    speed = Speed(step, 0.0, 0.0, 1e12, servers, 1e12, "test")
    load = Load(users, 3600 * rate / users, Length(1), Length(100))
    found = simulate(load, Fleet(speed, 1, 1000), 15_000 / rate, warm_up=300 / rate)
    waits = erlang_c(servers, utilization * servers)
    expected = waits * service / (servers * (1 - utilization))
    assert statistics.mean(found.first_text) == pytest.approx(expected, rel=0.15)
    assert sum(each > 1e-6 for each in found.first_text) / len(found.first_text) == pytest.approx(waits, rel=0.08)
    assert found.running == pytest.approx(utilization * servers, rel=0.05)
    assert found.lost == 0


def test_the_same_seed_gives_the_same_outcome_and_another_seed_another() -> None:
    load, fleet = Load(50, 60), Fleet(REAL, 2, 2)
    assert simulate(load, fleet, 600, seed=3) == simulate(load, fleet, 600, seed=3)
    assert simulate(load, fleet, 600, seed=3) != simulate(load, fleet, 600, seed=4)


@settings(max_examples=15, deadline=None)
@given(
    users=st.integers(1, 400),
    replicas=st.integers(1, 4),
    pods=st.integers(0, 1),
    max_answers=st.integers(1, 32),
    cache_tokens=st.floats(100, 50_000),
    seed=st.integers(0, 99),
)
def test_every_question_is_answered_refused_or_given_up(
    users: int, replicas: int, pods: int, max_answers: int, cache_tokens: float, seed: int
) -> None:
    speed = Speed(0.02, 0.001, 1e-6, 2000, max_answers, cache_tokens, "test")
    found = simulate(Load(users, 120), Fleet(speed, replicas, pods), 200, warm_up=50, seed=seed)
    assert found.asked == found.answered + found.refused + found.timed_out
    assert found.answered == len(found.first_text)
    assert found.most_running <= replicas * max_answers
    assert min(found.first_text, default=0) >= 0
    assert pods or found.answered == 0


@pytest.mark.parametrize("users", [200, 600])
def test_more_replicas_are_never_slower(users: int) -> None:
    p95 = []
    for replicas in (1, 2, 4, 8):
        found = simulate(Load(users, 40), Fleet(REAL, replicas, 20), 400, warm_up=100)
        p95.append(share(found.first_text, 0.95))
    # Two outcomes that differ by less than a step are equal.
    assert all(after <= before + 0.05 for before, after in itertools.pairwise(p95)), p95
    assert p95[-1] < p95[0]


def test_a_question_without_text_in_time_is_given_up_and_its_user_asks_again() -> None:
    slow = Speed(1.0, 0.0, 0.0, 1e9, 1, 1e9, "test")
    found = simulate(Load(20, 60, Length(10, 0.0), Length(100, 0.0)), Fleet(slow, 1, 1), 2000)
    assert found.timed_out > 100
    assert found.answered == pytest.approx(2000 / 99, abs=3)
    assert share(found.first_text, 1.0) <= simulation.FIRST_TEXT_TIMEOUT_SECONDS + 1


def test_pods_of_the_chat_refuse_more_than_their_limit() -> None:
    found = simulate(Load(2000, 120, Length(1), Length(10_000)), Fleet(REAL, 4, 1), 300)
    assert found.refused > 0
    assert found.most_running <= simulation.MAX_ANSWERS_PER_POD


def test_a_prompt_larger_than_the_cache_is_refused() -> None:
    small = Speed(0.02, 0.0, 0.0, 1e5, 8, 100, "test")
    found = simulate(Load(5, 60, Length(200, 0.0), Length(10, 0.0)), Fleet(small, 1, 1), 300)
    assert (found.answered, found.refused) == (0, found.asked)
    assert found.asked > 0


def test_a_cached_prompt_gives_its_text_sooner() -> None:
    p50 = [
        share(simulate(Load(20, 60, cached_share=cached), Fleet(REAL, 2, 2), 600).first_text, 0.5)
        for cached in (0.0, 0.9)
    ]
    assert p50[1] < p50[0] / 3


def test_the_search_finds_the_smallest_number() -> None:
    load, target = Load(2000, 12), Target(first_text_seconds=1.0)
    found = smallest(load, REAL, target)
    assert found.is_enough
    assert found.replicas > 1
    fewer = simulate(load, Fleet(REAL, found.replicas - 1, 40), 600)
    assert not target.is_met(fewer)
    impossible = smallest(Load(10, 12), REAL, Target(first_text_seconds=0.01))
    assert (impossible.is_enough, impossible.replicas) == (False, MOST_REPLICAS)


def test_very_many_users_are_simulated_in_parts() -> None:
    part, whole = (smallest(Load(users, 12), REAL, Target()) for users in (4000, 12_000))
    assert (whole.replicas, whole.outcome.most_running) == (3 * part.replicas, 3 * part.outcome.most_running)
    assert whole.outcome.asked == whole.outcome.answered == 3 * part.outcome.asked
    too_many = smallest(Load(1_000_000, 1800), REAL, Target())
    assert not too_many.is_enough


def test_lengths_have_their_mean() -> None:
    chance = random.Random(1)  # noqa: S311
    for length in (PROMPT, ANSWER, Length(50)):
        drawn = [length.draw(chance) for _ in range(20_000)]
        assert statistics.mean(drawn) == pytest.approx(length.mean, rel=0.05)


def test_outcomes_without_questions_are_zero() -> None:
    assert (share([], 0.95), Outcome().lost) == (0.0, 0)


def test_the_public_figures_are_near_public_measurements() -> None:
    ratios = []
    for each in hardware.MEASUREMENTS:
        speed = hardware.of_gpu(each.gpu, each.weights, each.token_bytes, 1e9, "")
        found = speed.tokens_per_second(each.answers, each.prompt_tokens, each.answer_tokens)
        ratios.append(found / each.tokens_per_second)
    assert statistics.median(ratios) == pytest.approx(0.95, abs=0.05)
    assert 0.75 < min(ratios) < max(ratios) < 1.65


def test_numbers_of_the_chat_are_the_chats() -> None:
    def read(path: str, pattern: str) -> str:
        found = re.search(pattern, (ROOT / "app" / "kaito_chat" / path).read_text(encoding="utf-8"))
        assert found, (path, pattern)
        return ", ".join(found.groups())

    assert read("models/routing.py", r"BUSIER, MORE = ([\d.]+), (\d+)") == f"{routing.BUSIER}, {routing.MORE}"
    assert read("settings/limits.py", r"max_answers: .*= (\d+)") == f"{simulation.MAX_ANSWERS_PER_POD}"
    timeout = read("settings/limits.py", r"first_token_timeout_seconds: Seconds = (\d+)")
    assert float(timeout) == simulation.FIRST_TEXT_TIMEOUT_SECONDS
    pool = (read("history/engines.py", r"pool_size=(\d+)"), read("history/engines.py", r"max_overflow=(\d+)"))
    assert sum(map(int, pool)) == CONNECTIONS_PER_POD
    benchmarks = (ROOT / "docs" / "explanation" / "benchmarks.md").read_text(encoding="utf-8")
    assert f"| {ANSWERS_PER_POD} users: throughput, of no application" in benchmarks
