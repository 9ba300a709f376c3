"""Replay of the last exchange to a page that reconnects."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaito_chat.chat.mirror import Mirror

IDS = st.sampled_from(["a", "b", "c"])
TEXTS = st.text("xyz", max_size=3)
EVENTS = st.one_of(
    st.tuples(st.just("stream_start"), st.builds(lambda i, t: {"id": i, "output": t, "streaming": True}, IDS, TEXTS)),
    st.tuples(st.just("stream_token"), st.builds(lambda i, t: {"id": i, "token": t}, IDS, TEXTS)),
    st.tuples(st.just("new_message"), st.builds(lambda i, t: {"id": i, "output": t, "streaming": False}, IDS, TEXTS)),
    st.tuples(
        st.just("update_message"), st.builds(lambda i, t: {"id": i, "output": t, "streaming": False}, IDS, TEXTS)
    ),
    st.tuples(st.just("delete_message"), st.builds(lambda i: {"id": i}, IDS)),
    st.tuples(st.sampled_from(["action", "remove_action"]), st.builds(lambda i: {"id": i, "name": "again"}, IDS)),
)


class Page:
    """The messages and buttons of a page, as Chainlit's page keeps them."""

    def __init__(self) -> None:
        self.messages: dict[str, str] = {}
        self.actions: list[str] = []

    async def emit(self, event: str, data: Any) -> None:
        if event.endswith("action"):
            if data["id"] in self.actions and event == "remove_action":
                self.actions.remove(data["id"])
            elif event == "action":
                self.actions.append(data["id"])
        elif event in ("stream_start", "new_message"):
            self.messages[data["id"]] = data["output"]
        elif data["id"] in self.messages:
            changed = {"update_message": data.get("output"), "delete_message": None}
            text = changed[event] if event in changed else self.messages[data["id"]] + data["token"]
            self.messages |= {data["id"]: text or ""}
            if event == "delete_message":
                del self.messages[data["id"]]


def told(events: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Return the events that an application may send: of begun messages, and of each button once."""
    begun: set[str] = set()
    offered: set[str] = set()
    kept = []
    for event, data in events:
        if event in ("stream_token", "update_message", "delete_message") and data["id"] not in begun:
            continue
        if event == "action" and data["id"] in offered:
            continue
        if event == "delete_message":
            begun.remove(data["id"])
        elif event in ("stream_start", "new_message"):
            begun.add(data["id"])
        elif event == "action":
            offered.add(data["id"])
        kept.append((event, data))
    return kept


@given(events=st.lists(EVENTS, max_size=30), lost=st.sets(st.integers(0, 29)))
async def test_a_reconnected_page_is_complete_whichever_events_were_lost(
    events: list[tuple[str, dict[str, Any]]], lost: set[int]
) -> None:
    mirror, whole, page = Mirror(), Page(), Page()
    for number, (event, data) in enumerate(told(events)):
        mirror.note(event, data)
        await whole.emit(event, dict(data))
        if number not in lost:
            await page.emit(event, dict(data))
    for _ in range(2):
        await mirror.replay(page.emit)
        assert page.messages == whole.messages
        assert sorted(page.actions) == sorted(whole.actions)


async def test_only_the_last_exchange_is_kept() -> None:
    mirror, page = Mirror(), Page()
    mirror.note("new_message", {"id": "a", "output": "x", "streaming": False})
    mirror.begin()
    await mirror.replay(page.emit)
    assert page.messages == {}
