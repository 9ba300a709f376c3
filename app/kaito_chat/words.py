"""What the page says, in words: every trouble, and what happens next."""

import time
from datetime import UTC, datetime
from typing import NamedTuple

from kaito_chat.hindrance import Hindrance
from kaito_chat.readiness import LASTING, State, Watch
from kaito_chat.trouble import BackendError, Kind

# How long the steps of a warm-up usually take, in minutes.
NODE_MINUTES = "5-15"
SERVER_MINUTES = "3-15"

TROUBLE = {
    Kind.NOT_READY: "**The model does not answer.** Your question is kept; try again in a moment.",
    Kind.GONE: "**The model has gone away.** Your question is kept; try again in a moment.",
    Kind.BUSY: "**The model is busy.** Too many people are asking at once{wait}. Your question is kept.",
    Kind.TOO_LONG: (
        "**This is too long for the model.** Even without the earlier conversation, the question does not fit into "
        "its window. Shorten the question, or lower *Max tokens* in the settings."
    ),
    Kind.SLOW: "**The model took too long.** It accepted the question and did not begin to answer in time.",
    Kind.CUT_OFF: "**The answer was cut off.** What arrived stays above. You can have the model go on from there.",
    Kind.REFUSED: "**The model's server does not accept this request.** Changing the settings may help.",
    Kind.FORBIDDEN: "**The model's server does not let this application in.** Its operator has to renew the access.",
    Kind.RENAMED: "**The model was replaced by another one.** Ask again to talk to the new one.",
    Kind.FAILED: "**The model's server broke over this question.** Your question is kept; another try may work.",
    Kind.GARBLED: "**The model's server answered with something unreadable.** Your question is kept.",
    Kind.NOT_API: (
        "**Something else answers at the model's address:** a web page, such as a login page, or a redirect. "
        "Its operator has to set the address of the model's server itself."
    ),
    Kind.NO_CHAT: (
        "**This model cannot hold a conversation.** It is a base model without a chat template, or one for embeddings "
        "or ranking. Its operator has to choose another one."
    ),
    Kind.EMPTY: "**The model answered with nothing.** Your question is kept; another try may work.",
    Kind.THOUGHT_OUT: (
        "**The model thought until its longest length was used up, and did not come to an answer.** You can have it "
        "go on with more room, or raise *Max tokens* in the settings."
    ),
    Kind.FILTERED: "**A content filter of the model's server withheld the answer, or its rest.** Ask in other words.",
    Kind.ABORTED: "**The model's server ended the answer by itself.** You can have the model go on from there.",
}
HINDRANCES = {
    Hindrance.QUOTA: "The subscription's quota for this size of GPU node is used up. Its operator has to raise it.",
    Hindrance.SKU: "This size of GPU node is not offered in the region. Its operator has to choose another one.",
    Hindrance.CAPACITY: "Azure has no such GPU node to give at the moment. KAITO tries again.",
    Hindrance.NO_RIGHT: "KAITO may not create GPU nodes. Its operator has to give it the right.",
    Hindrance.NODE_TIMED_OUT: "The GPU node did not come in time. KAITO tries again.",
    Hindrance.NODE_LOST: "The GPU node is gone. KAITO gets another one.",
    Hindrance.GPU_DRIVER: "The GPU node is there, and its GPU is not usable yet.",
    Hindrance.NODE_FAILED: "The GPU node could not be created.",
    Hindrance.DOWNLOAD: "The model is not downloaded yet.",
    Hindrance.IMAGE_PULL: "The model server's image cannot be pulled.",
    Hindrance.OUT_OF_MEMORY: "The model server ran out of memory. It needs a larger GPU node.",
    Hindrance.CRASHED: "The model server does not start.",
    Hindrance.EVICTED: "The model server was evicted: its node is short of memory or disk.",
    Hindrance.UNSCHEDULABLE: "No node takes the model server.",
    Hindrance.SERVER_TIMED_OUT: "The model server did not start in time. KAITO tries again.",
    Hindrance.BENCHMARK: "KAITO's benchmark of the model failed.",
    Hindrance.FAILED: "KAITO reports an error.",
}
STATES = {
    State.CHECKING: "looking for the model",
    State.WARMING_UP: "warming up",
    State.READY: "ready",
    State.GONE: "not answering",
    State.FORBIDDEN: "access denied",
    State.NOT_API: "not a model server",
    State.NO_CHAT: "no model to chat with",
}
BASE_MODEL = "*This is a base model: it continues texts, and was not trained for conversations.*"
UNLISTED = "*The server lists no such model; it is asked for by its configured name, {model}.*"
LENGTH = "*The answer reached its longest length. You can have the model go on.*"
DRAINED = (
    "**This server is restarting.** The answer stops here and what arrived stays. The page connects to another "
    "server by itself; then you can have the model go on."
)
SIGNED_OUT = "**You are signed out.** Your session ended. [Sign in again](/login). Your question was not sent."
DROPPED = "*To fit into the model's window, the {count} oldest messages of this conversation are left out.*"
CONTINUE = "Continue your last answer exactly where it stopped. Do not repeat anything, and add no introduction."
NO_HISTORY = "Conversations are not kept here: they end with this page."


class Step(NamedTuple):
    """A step of the warm-up.

    Attributes:
        name: What happens.
        state: `done`, `now` or `later`.
        detail: Elapsed and typical time.
    """

    name: str
    state: str
    detail: str


def trouble(error: BackendError) -> str:
    """The text for a trouble, with the server's own words where it refused."""
    wait = f"; the server asks to wait {error.retry_after_seconds:.0f} s" if error.retry_after_seconds else ""
    text = TROUBLE[error.kind].format(wait=wait)
    return f"{text}\n\n> {_quoted(error.said)}" if error.said else text


def steps(watch: Watch) -> list[Step]:
    """The steps of a model's warm-up, as far as they are known."""
    if watch.ready:
        return [Step("Model ready", "done", "")]
    elapsed = duration(time.monotonic() - watch.since)
    known = watch.conditions
    downloading = watch.download_seconds is not None
    server = f"starting for {elapsed}, usually {SERVER_MINUTES} minutes"
    if downloading and watch.download_seconds:
        server = f"downloading the model, about {duration(watch.download_seconds)} left"
    if known is None and watch.state is State.GONE:
        return [Step("Model server", "now", f"not answering for {elapsed}"), Step("Model ready", "later", "")]
    if known is None:
        answering = downloading or "serves no model" in watch.reason
        return [
            Step("Model server", "now", server if answering else f"waiting for {elapsed} for its first sign"),
            Step("Model ready", "later", ""),
        ]
    if known.since:
        elapsed = duration((datetime.now(UTC) - known.since).total_seconds())
        if not downloading:
            server = f"starting for {elapsed}, usually {SERVER_MINUTES} minutes"
    return [
        Step("GPU node", "done", "")
        if known.node_ready
        else Step("GPU node", "now", f"provisioning for {elapsed}, usually {NODE_MINUTES} minutes"),
        Step("Model server", "now" if known.node_ready else "later", server if known.node_ready else ""),
        Step("Model ready", "later", ""),
    ]


def warming_up(watch: Watch) -> str:
    """The notice under a question that waits for its model."""
    name = "The model" if watch.name == "model" else watch.name
    marks = {"done": "✓", "now": "▸", "later": "·"}
    listed = "\n".join(
        f"{marks[step.state]} {step.name}" + (f": {step.detail}" if step.detail else "") for step in steps(watch)
    )
    for kind, state in LASTING.items():
        if watch.state is state:
            said = f"\n\n> {_quoted(watch.said)}" if watch.said else ""
            return f"{TROUBLE[kind]}{said}\n\nYour question is sent when that is done."
    if watch.state is State.GONE:
        began = duration(time.monotonic() - watch.since)
        head = f"**{name} stopped answering {began} ago.** It may be restarting."
    else:
        head = f"**{name} is warming up.**"
    known = watch.conditions
    hindered = f"\n\n**{HINDRANCES[known.hindrance]}**" if known and known.hindrance else ""
    said = f"\n\n> {_quoted(known.message)}" if known and known.message else ""
    return f"{head} Your question is sent as soon as it is ready.\n\n{listed}{hindered}{said}"


def usage(prompt: int | None, completion: int | None, first_token_seconds: float, *, streamed: bool) -> str:
    """The line under an answer."""
    parts = [f"{completion} tokens" if completion else "", f"{prompt} in the prompt" if prompt else ""]
    parts.append(f"{'first token' if streamed else 'answer'} after {first_token_seconds:.1f} s")
    return f"*{' · '.join(part for part in parts if part)}*"


def duration(seconds: float) -> str:
    """A duration as people say it."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _quoted(text: str) -> str:
    """A server's words as plain text: Markdown in them has no meaning."""
    return "".join("\\" + character if character in "\\`*_[]<>#!$|~" else character for character in text)
