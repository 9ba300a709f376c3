"""The choice of a replica: balance, conversations that stay, and replicas that are slow or gone."""

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from kaito_chat.models.routing import MOST_CONVERSATIONS, Router


@dataclass
class Server:
    """A replica that takes some seconds for an answer."""

    name: str
    seconds: float = 1.0
    running: int = 0
    answered: int = 0
    most: int = 0


@dataclass
class Figures:
    """The result of a simulation.

    Attributes:
        questions: The number of questions that each conversation asked after its first.
        stayed: Those that the replica of the question before answered.
        last: The replica of the last question of each conversation.
    """

    questions: int = 0
    stayed: int = 0
    last: dict[str, str] = field(default_factory=dict)


def simulate(servers: list[Server], conversations: int, questions: int, *, think_seconds: float) -> Figures:
    """Let conversations ask in parallel, each its next question some time after an answer."""
    router, chance, figures = Router(), random.Random(1), Figures()  # noqa: S311 - not for secrets
    by_name = {each.name: each for each in servers}
    events = [(chance.uniform(0, think_seconds), key, 0, "") for key in range(conversations)]
    heapq.heapify(events)
    asked: Counter[int] = Counter()
    while events:
        now, key, _, ended = heapq.heappop(events)
        if ended:
            by_name[ended].running -= 1
            by_name[ended].answered += 1
            if asked[key] < questions:
                heapq.heappush(events, (now + chance.expovariate(1 / think_seconds), key, 0, ""))
            continue
        chosen = router.choose(str(key), servers)
        assert chosen
        if asked[key]:
            figures.questions += 1
            figures.stayed += figures.last[str(key)] == chosen.name
        asked[key] += 1
        figures.last[str(key)] = chosen.name
        chosen.running += 1
        chosen.most = max(chosen.most, chosen.running)
        heapq.heappush(events, (now + chosen.seconds * chance.uniform(0.5, 1.5), key, 1, chosen.name))
    return figures


def three(*seconds: float) -> list[Server]:
    return [Server(name, each) for name, each in zip("abc", seconds or (1, 1, 1), strict=True)]


def test_a_question_goes_to_the_replica_with_the_fewest_running_answers() -> None:
    servers = three()
    servers[0].running, servers[1].running, servers[2].running = 3, 1, 2
    chosen = Router().choose("new", servers)
    assert chosen is servers[1]


def test_a_conversation_stays_where_its_beginning_is_known() -> None:
    router, servers = Router(), three()
    first = router.choose("talk", servers)
    assert first
    first.running = 2
    assert router.choose("talk", servers) is first
    first.running = 3
    assert router.choose("talk", servers) is not first, "a busy replica is left"


def test_a_restarted_process_sends_an_idle_conversation_to_the_same_replica() -> None:
    names = {(server.name if (server := Router().choose("talk", three())) else "") for _ in range(5)}
    assert len(names) == 1


@pytest.mark.parametrize("think_seconds", [0.5, 10, 100])
def test_most_questions_stay_and_the_load_is_balanced(think_seconds: float) -> None:
    servers = three()
    figures = simulate(servers, 300, 10, think_seconds=think_seconds)
    answered = [each.answered for each in servers]
    assert sum(answered) == 3000
    assert figures.stayed / figures.questions > 0.9
    assert max(answered) < 1.1 * 1000
    assert max(each.most for each in servers) <= 1.25 * min(each.most for each in servers) + 2


def test_one_slow_replica_does_not_take_every_conversation() -> None:
    servers = three(1, 1, 8)
    figures = simulate(servers, 300, 10, think_seconds=10)
    fast, also_fast, slow = servers
    assert slow.answered < 0.2 * 3000
    assert slow.most <= 1.25 * max(fast.most, also_fast.most) + 3
    on_slow = Counter(figures.last.values())["c"]
    assert on_slow < 0.25 * 300
    assert figures.stayed / figures.questions > 0.7


def test_a_conversation_leaves_the_replica_that_failed_it_once() -> None:
    router, servers = Router(), three()
    first = router.choose("talk", servers)
    assert first
    router.leave("talk", first.name)
    second = router.choose("talk", servers)
    assert second
    assert second is not first
    assert router.choose("talk", servers) is second, "it stays at the new one"


def test_the_only_replica_is_chosen_even_if_it_failed() -> None:
    router, servers = Router(), three()[:1]
    router.leave("talk", servers[0].name)
    assert router.choose("talk", servers) is servers[0]
    assert router.choose("talk", []) is None


def test_old_conversations_are_forgotten() -> None:
    router, servers = Router(), three()
    for number in range(MOST_CONVERSATIONS + 100):
        router.choose(str(number), servers)
    assert len(router._places) == MOST_CONVERSATIONS  # noqa: SLF001 - the bound on its memory
    assert "0" not in router._places  # noqa: SLF001
