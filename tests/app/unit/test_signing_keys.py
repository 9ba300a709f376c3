"""Signing keys during a rotation: at no time does a replica sign with a key that another one does not accept."""

import itertools

import pytest

from kaito_chat.chat.signing_keys import SigningKeys

DELAY = 100


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def keys(clock: Clock, newest: str, former: str | None = None) -> SigningKeys:
    return SigningKeys(newest, former, DELAY, clock)


def test_a_single_secret_signs_and_is_accepted() -> None:
    only = keys(Clock(), "a")
    assert (only.signing, only.accepted) == ("a", ("a",))


def test_a_new_secret_is_accepted_at_once_and_signs_later() -> None:
    clock = Clock()
    changed = keys(clock, "a")
    clock.time = 1000
    assert changed.change("b", "a") is True
    assert (changed.signing, set(changed.accepted)) == ("a", {"a", "b"})
    clock.time = 1000 + DELAY - 1
    assert changed.signing == "a"
    clock.time = 1000 + DELAY
    assert (changed.signing, changed.accepted) == ("b", ("b", "a"))


def test_without_a_former_secret_the_replaced_one_is_accepted_until_the_new_one_signs() -> None:
    clock = Clock()
    changed = keys(clock, "a")
    clock.time = 1000
    changed.change("b", None)
    assert (changed.signing, set(changed.accepted)) == ("a", {"a", "b"})
    clock.time += DELAY
    assert (changed.signing, changed.accepted) == ("b", ("b",))


def test_a_process_that_starts_during_a_rotation_signs_with_the_former_secret() -> None:
    clock = Clock()
    started = keys(clock, "b", "a")
    assert (started.signing, started.accepted) == ("a", ("a", "b"))
    clock.time = DELAY
    assert (started.signing, started.accepted) == ("b", ("b", "a"))


def test_a_removed_former_secret_is_revoked_at_once() -> None:
    clock = Clock()
    started = keys(clock, "b", "a")
    assert started.change("b", None) is False
    assert (started.signing, started.accepted) == ("b", ("b",))


def test_a_second_rotation_within_the_delay_keeps_the_signing_key_and_every_accepted_one() -> None:
    clock = Clock()
    changed = keys(clock, "a")
    changed.change("b", "a")
    clock.time = DELAY / 2
    changed.change("c", "b")
    assert (changed.signing, set(changed.accepted)) == ("a", {"a", "b", "c"})
    clock.time = DELAY
    assert changed.signing == "a"
    clock.time = DELAY * 1.5
    assert (changed.signing, changed.accepted) == ("c", ("c", "b"))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_replicas_agree_while_the_secret_reaches_them_one_after_the_other(order: tuple[int, ...]) -> None:
    clock = Clock()
    replicas = [keys(clock, "a") for _ in range(3)]
    clock.time = 1000
    steps = 3 * DELAY
    for step in range(steps):
        if step % (DELAY // 3) == 0 and step // (DELAY // 3) < 3:
            replicas[order[step // (DELAY // 3)]].change("b", "a")
        if step == DELAY // 2:  # a pod is replaced, and reads the vault
            replicas.append(keys(clock, "b", "a"))
        for one, other in itertools.product(replicas, repeat=2):
            assert one.signing in other.accepted, (step, one.signing, other.accepted)
        clock.time += 1
    assert {each.signing for each in replicas} == {"b"}
