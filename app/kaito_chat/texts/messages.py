"""The texts of one language, and messages composed of them."""

import time
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.kubernetes.resources import ApiError
from kaito_chat.models.readiness import Model
from kaito_chat.models.states import LASTING, State
from kaito_chat.texts.catalog import DEFAULT, closest, codes, load

# Typical durations of the warm-up steps, in minutes.
NODE_MINUTES = "5-15"
SERVER_MINUTES = "3-15"
# Sent to the model, which understands English best.
CONTINUE = "Continue your last answer exactly where it stopped. Do not repeat anything, and add no introduction."
MARKS = {"done": "✓", "now": "▸", "later": "·"}


class Step(NamedTuple):
    """A step of the warm-up.

    Attributes:
        name: The name of the step.
        state: `done`, `now` or `later`.
        detail: Elapsed and typical time.
    """

    name: str
    state: str
    detail: str


class Texts:
    """The texts of one language; English is the fallback for missing texts.

    Args:
        language: The code of an available language.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = load(DEFAULT) | load(language)

    def say(self, key: str, **values: object) -> str:
        """Return the text of a key, with its placeholders filled in.

        Raises:
            KeyError: There is no such text, or a value is missing.
        """
        return self._texts[key].format(**values)

    def page(self) -> dict[str, str]:
        """Return the texts that our script on the page shows, with their placeholders."""
        shown = ("page.", "state.", "settings.model", "wake.it", "wake.tip")
        return {key: text for key, text in self._texts.items() if key.startswith(shown)}

    def error(self, error: BackendError, reference: str = "") -> str:
        """Return the notice for an error, with the server's message, if any, and a reference to the log."""
        key = f"error.{error.kind}"
        if error.kind is Kind.BUSY and error.retry_after_seconds:
            key = "error.busy_wait"
        elif key not in self._texts:
            key = f"error.{Kind.FAILED}"
        wait = f"{error.retry_after_seconds or 0:.0f}"
        text = self.say(key, seconds=wait, max_tokens=self.say("settings.max_tokens"))
        parts = [text, f"> {quoted(error.said)}" if error.said else ""]
        parts.append(self.say("notice.reference", reference=reference) if reference else "")
        return "\n\n".join(part for part in parts if part)

    def state(self, state: State) -> str:
        """Return the short text for a state."""
        return self.say(f"state.{state}")

    def status(self, model: Model) -> str:
        """Return the short text for a model's state: until when it sleeps, and how many of its servers are ready."""
        if until := self._until(model):
            return self.say("state.asleep_until", time=until)
        ready = sum(each.ready for each in model.replicas)
        if 0 < ready < len(model.replicas):
            return self.say("state.replicas", ready=ready, total=len(model.replicas))
        return self.state(model.state)

    def steps(self, model: Model) -> list[Step]:
        """Return the known steps of a model's warm-up."""
        if model.ready:
            return [self._step("ready", "done")]
        if model.state is State.ASLEEP:
            return []
        known = model.conditions
        waited = time.monotonic() - model.since
        downloading = model.download_seconds is not None
        if known is None and model.state is State.GONE:
            gone = self._step("server", "now", self.say("step.not_answering", duration=self.duration(waited)))
            return [gone, self._step("ready", "later")]
        if known is None:
            answering = downloading or "serves no model" in model.reason
            waiting = self.say("step.waiting", duration=self.duration(waited))
            server = self._step("server", "now", self._server(model, waited) if answering else waiting)
            return [server, self._step("ready", "later")]
        if known.since:
            waited = (datetime.now(UTC) - known.since).total_seconds()
        if known.node_ready:
            both = [self._step("node", "done"), self._step("server", "now", self._server(model, waited))]
        else:
            elapsed = self.say("step.provisioning", duration=self.duration(waited), minutes=NODE_MINUTES)
            both = [self._step("node", "now", elapsed), self._step("server", "later")]
        return [*both, self._step("ready", "later")]

    def warming_up(self, model: Model) -> str:
        """Return the notice under a question that waits for its model."""
        for kind, state in LASTING.items():
            if model.state is state:
                reason = f"\n\n> {quoted(model.said)}" if model.said else ""
                return f"{self.say(f'error.{kind}')}{reason}\n\n{self.say('warming.forbidden')}"
        name = self.say("warming.the_model") if model.name == "model" else quoted(model.name)
        if model.state is State.ASLEEP:
            until = self._until(model)
            return self.say("warming.asleep_until" if until else "warming.asleep", name=name, time=until)
        if model.state is State.GONE:
            head = self.say("warming.gone", name=name, duration=self.duration(time.monotonic() - model.since))
        else:
            head = self.say("warming.up", name=name)
        listed = "\n".join(
            f"{MARKS[step.state]} {step.name}" + (f": {step.detail}" if step.detail else "")
            for step in self.steps(model)
        )
        known = model.conditions
        failed = f"\n\n**{self.say(f'failure.{known.failure}')}**" if known and known.failure else ""
        said = f"\n\n> {quoted(known.message)}" if known and known.message else ""
        return f"{head}\n\n{listed}{failed}{said}"

    def not_woken(self, error: ApiError) -> str:
        """Return the notice that a model was not woken, with the API server's message."""
        keys = {"forbidden": "wake.forbidden", "unreachable": "wake.unreachable"}
        text = self.say(keys.get(error.reason, "wake.failed"))
        return f"{text}\n\n> {quoted(error.said)}" if error.said else text

    def usage(self, prompt: int | None, completion: int | None, first_token_seconds: float, *, streamed: bool) -> str:
        """Return the usage line under an answer."""
        seconds = f"{first_token_seconds:.1f}".replace(".", self.say("decimal"))
        parts = [
            self.say("usage.completion", count=completion) if completion else "",
            self.say("usage.prompt", count=prompt) if prompt else "",
            self.say("usage.first_token" if streamed else "usage.answer", seconds=seconds),
        ]
        return " · ".join(part for part in parts if part)

    def duration(self, seconds: float) -> str:
        """Return a duration in minutes and seconds."""
        minutes, rest = divmod(max(0, round(seconds)), 60)
        if minutes:
            return self.say("duration.minutes", minutes=minutes, seconds=rest)
        return self.say("duration.seconds", seconds=rest)

    def _until(self, model: Model) -> str:
        """Return the time of the next wake-up of a model that sleeps; empty if none is known."""
        now, schedule = datetime.now(UTC), model.settings.schedule
        at = schedule.next_wake(now) if schedule and model.state is State.ASLEEP else None
        if at is None:
            return ""
        today = at.date() == now.astimezone(at.tzinfo).date()
        return f"{at:%H:%M %Z}" if today else f"{at:%Y-%m-%d %H:%M %Z}"

    def _step(self, name: str, state: str, detail: str = "") -> Step:
        return Step(self.say(f"step.{name}"), state, detail)

    def _server(self, model: Model, waited: float) -> str:
        if model.download_seconds:
            return self.say("step.downloading", duration=self.duration(model.download_seconds))
        return self.say("step.starting", duration=self.duration(waited), minutes=SERVER_MINUTES)


def texts_for(language: str | None) -> Texts:
    """Return the texts in a language, or in the closest available one."""
    return _of((closest(language) if language else None) or DEFAULT)


@cache
def _of(code: str) -> Texts:
    if code not in codes():
        raise ValueError(code)
    return Texts(code)


def quoted(text: str) -> str:
    """Return a server's message on one line, with Markdown escaped."""
    escaped = ("\\" + character if character in "\\`*_[]<>#!$|~" else character for character in text)
    return " ".join("".join(escaped).split())
