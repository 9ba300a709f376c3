"""What Chainlit calls: when a page opens, a question comes, a connection is lost.

Chainlit loads this file by its path; it finds what all conversations share in `running`.
"""

import asyncio
import hmac
import json
from collections.abc import Mapping
from typing import Any

import chainlit as cl
from chainlit.auth import decode_jwt
from chainlit.chat_context import chat_context
from chainlit.context import context
from chainlit.session import WebsocketSession

from kaito_chat.chat import running, signals, stopping
from kaito_chat.chat.buttons import again
from kaito_chat.chat.facts import lines
from kaito_chat.chat.panel import panel
from kaito_chat.chat.services import DRAINED
from kaito_chat.chat.turn import TurnOfConversation, notify
from kaito_chat.conversation import answer_of
from kaito_chat.logs import session_id
from kaito_chat.readiness import Watch
from kaito_chat.settings import ModelSettings, Starter
from kaito_chat.texts import Texts, texts_for

services = running.services()
stopping.translate()
settings = services.settings
_turns: dict[str, asyncio.Task[None]] = {}
_background: set[asyncio.Task[None]] = set()


def _watch() -> Watch:
    return services.watch(context.session.chat_profile)


def _texts() -> Texts:
    return texts_for(context.session.language)


def _starters(starters: tuple[Starter, ...] | None) -> list[cl.Starter]:
    offered = settings.starters if starters is None else starters
    return [cl.Starter(label=each.label, message=each.message, icon=each.icon) for each in offered]


def _profile(model: ModelSettings) -> cl.ChatProfile:
    return cl.ChatProfile(
        name=model.name,
        markdown_description=model.description or model.name,
        icon=model.icon or "/public/icon.svg",
        starters=_starters(model.starters),
        default=model is settings.served[0],
    )


if len(settings.served) > 1:

    @cl.set_chat_profiles
    async def profiles() -> list[cl.ChatProfile]:
        """The models to pick from."""
        return [_profile(model) for model in settings.served]


@cl.set_starters
async def starters() -> list[cl.Starter]:
    """The questions that a new conversation offers."""
    return _starters(settings.served[0].starters)


@cl.on_chat_start
async def start() -> None:
    """A new conversation: show the settings panel."""
    await panel(settings, _watch(), {}, _texts()).send()


@cl.on_chat_resume
async def resume(thread: Mapping[str, Any]) -> None:
    """A conversation from the history, or one that another replica had."""
    chosen = dict(context.session.chat_settings or {})
    await panel(settings, _watch(), chosen, _texts()).send()
    if settings.show_usage:
        await signals.facts(lines(thread.get("steps") or (), _texts()))


@cl.on_message
async def message(_: cl.Message) -> None:
    """A question, new or edited."""
    await _take_turn()


@cl.action_callback("again")
async def try_again(action: cl.Action) -> None:
    """Ask the last question again."""
    await _take_turn(action)


@cl.action_callback("regenerate")
async def regenerate(action: cl.Action) -> None:
    """Answer the last question once more, instead of the answer that there is."""
    await _take_turn(action)


@cl.action_callback("continue")
async def go_on(action: cl.Action) -> None:
    """Have the model go on with its last answer."""
    await _take_turn(action, continuing=True)


@cl.on_chat_end
async def end() -> None:
    """The connection is lost, or the page closed: give it some time to come back."""
    session = context.session
    socket = session.socket_id
    await asyncio.sleep(0)  # a goodbye that comes with the end of the connection is a task that has not run yet
    task = _turns.get(session.id)
    if task:
        grace = asyncio.create_task(_end_after_grace(session, socket, task))
        _background.add(grace)
        grace.add_done_callback(_background.discard)


async def _end_after_grace(session: WebsocketSession, socket: str, task: asyncio.Task[None]) -> None:
    """End an answer that nobody can see, unless the page comes back under the same session."""
    await asyncio.wait((task,), timeout=0 if session.to_clear else settings.disconnect_grace_seconds)
    if session.socket_id == socket:
        task.cancel()


async def _take_turn(action: cl.Action | None = None, *, continuing: bool = False) -> None:
    """Answer, as the one turn of this session: a turn that still runs makes way."""
    session = context.session
    session_id.set(session.id)
    if not await _admitted(session, action):
        return
    await _make_way(session)
    await _withdraw_buttons(action)
    turn = asyncio.create_task(TurnOfConversation(services, _watch(), continuing=continuing).take())
    session.current_task = _turns[session.id] = turn  # what Stop cancels
    services.turns.add(turn)
    turn.add_done_callback(services.turns.discard)
    if action:  # the page shows Stop only between these
        await context.emitter.task_start()
    try:
        await turn
    except asyncio.CancelledError as cancelled:
        current = asyncio.current_task()
        if current and current.cancelling() and DRAINED not in cancelled.args:
            turn.cancel()
            raise
    finally:
        if _turns.get(session.id) is turn:
            del _turns[session.id]
        if action:
            await context.emitter.task_end()


async def _admitted(session: WebsocketSession, action: cl.Action | None) -> bool:
    """Whether a turn may begin; says so if not."""
    if not _signed_in(session):
        await notify(_texts().say("notice.signed_out", login="/login"), "signed_out")
    elif services.draining:
        await notify(_texts().say("notice.drained"), "drained", [again(_texts())])
    elif action and not _offered(action):
        await action.remove()
    else:
        return True
    return False


def _offered(action: cl.Action) -> bool:
    """Whether a button is about the end of the conversation still: a page may press one that is gone.

    Judged by what was said after it, because a conversation that another replica resumes knows no buttons.
    """
    messages = chat_context.get()
    places = [place for place, message in enumerate(messages) if message.id == action.forId]
    after = messages[places[0] + 1 :] if places else []
    return bool(places) and not any(message.type == "user_message" or answer_of(message) for message in after)


async def _withdraw_buttons(pressed: cl.Action | None) -> None:
    """Take away what was offered before this turn; and the notice of a trouble, if it is tried again."""
    if pressed:
        await pressed.remove()
    for message in chat_context.get():
        offered, message.actions = message.actions, []
        for each in offered:
            await each.remove()
        if pressed and pressed.name == "again" and message.id == pressed.forId:
            await message.remove()
    if pressed and pressed.name == "regenerate":
        await _remove_answer()


async def _remove_answer() -> None:
    """Take away all that follows the last question."""
    messages = chat_context.get()
    questions = [place for place, message in enumerate(messages) if message.type == "user_message"]
    for message in messages[questions[-1] + 1 :] if questions else []:
        await message.remove()


async def _make_way(session: WebsocketSession) -> None:
    """End the turn that a session still has: its question was edited, or another one came."""
    turn = _turns.get(session.id)
    if turn:
        turn.cancel()
        await asyncio.wait((turn,), timeout=2)


def _signed_in(session: WebsocketSession) -> bool:
    """Whether the session's sign-in still holds; Chainlit checks it only when a page connects."""
    if settings.sign_in == "none":
        return True
    try:
        decode_jwt(session.token)
    except Exception:  # noqa: BLE001 - whatever is wrong with a token, it is no sign-in
        return False
    return True


if settings.sign_in == "password":
    users: dict[str, str] = json.loads(settings.password_users.get_secret_value()) if settings.password_users else {}

    @cl.password_auth_callback
    async def password(name: str, word: str) -> cl.User | None:
        """Sign in with a name and a password, for demos."""
        known = users.get(name, "")
        right = hmac.compare_digest(known.encode(), word.encode())
        return cl.User(identifier=name) if known and right else None


if settings.sign_in == "entra":

    @cl.oauth_callback
    async def entra(
        _provider: str, _token: str, _raw: Mapping[str, Any], user: cl.User, _id_token: str | None = None
    ) -> cl.User | None:
        """Everybody whom the tenant's app registration lets in, without photo and tokens.

        What it returns goes into the page's cookie and into the history: a photo is more than proxies take in a header.
        """
        return cl.User(identifier=user.identifier, display_name=user.display_name, metadata={"provider": "azure-ad"})


if running.data_layer():

    @cl.data_layer
    def history() -> object:
        """Where conversations are kept."""
        return running.data_layer()
