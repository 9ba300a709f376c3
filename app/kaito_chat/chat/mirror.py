"""Record of the events sent to a page since its last question, replayed when it reconnects."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

MOST_SIGNALS = 10
# Per exchange; only a client that forges button presses exceeds it.
MOST_STATES = 100
Emit = Callable[[str, Any], Awaitable[Any]]


class Mirror:
    """The last state of each message and button of one exchange.

    Events sent on a broken connection are lost, also before the server notices. Replaying the whole exchange is
    idempotent: the page treats a message with a known id as an update.
    """

    def __init__(self) -> None:
        self._steps: dict[str, dict[str, Any] | None] = {}
        self._tokens: dict[str, list[str]] = {}
        self._actions: dict[str, tuple[dict[str, Any], bool]] = {}
        self._signals: deque[Any] = deque(maxlen=MOST_SIGNALS)

    def begin(self) -> None:
        """Drop the previous exchange, which the page has received."""
        self._steps.clear()
        self._tokens.clear()
        self._actions.clear()
        self._signals.clear()

    def note(self, event: str, data: Any) -> bool:  # noqa: ANN401 - Chainlit's events have no types
        """Record an event for the page; return whether `replay` sends it."""
        match event:
            case "stream_token":
                self._tokens.setdefault(data["id"], []).append(data["token"])
            case "new_message" | "update_message" | "stream_start":
                self._steps[data["id"]] = data
                self._tokens.pop(data["id"], None)
            case "delete_message":
                self._steps[data["id"]] = None
                self._tokens.pop(data["id"], None)
            case "action" | "remove_action":
                self._actions[data["id"]] = (data, event == "action")
            case "window_message":
                self._signals.append(data)
            case _:
                return False
        for states in (self._steps, self._actions):
            while len(states) > MOST_STATES:
                del states[next(iter(states))]
        return True

    async def replay(self, emit: Emit) -> None:
        """Send the page the state of the exchange."""
        for identifier, step in list(self._steps.items()):
            if step is None:
                await emit("delete_message", {"id": identifier})
                continue
            text = str(step.get("output", "")) + "".join(self._tokens.get(identifier, ()))
            await emit("stream_start" if step.get("streaming") else "new_message", step | {"output": text})
        for action, offered in list(self._actions.values()):
            # The page would show a button that it already has twice.
            await emit("remove_action", action)
            if offered:
                await emit("action", action)
        for signal in list(self._signals):
            await emit("window_message", signal)
