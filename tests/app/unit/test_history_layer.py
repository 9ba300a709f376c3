"""The data layer that Chainlit calls: the owner of a conversation is the user of the session."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from kaito_chat.history import HistoryRefusedError
from kaito_chat.history.store import Store
from kaito_chat.page.prepare import prepare
from kaito_chat.settings import Settings
from support.chat.databases import OTHER, THREAD, opened, stored, texts, told

# A library that Chainlit imports warns.
pytestmark = pytest.mark.filterwarnings("ignore:Support for class-based `config`:pydantic.PydanticDeprecatedSince20")


def chainlit(module: str) -> ModuleType:
    """Return a module of Chainlit; its import writes below its root, which a fixture has to set before."""
    return import_module(f"chainlit.{module}")


@pytest.fixture(scope="module", autouse=True)
def _root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CHAINLIT_APP_ROOT", "")
        patched.setenv("CHAINLIT_AUTH_SECRET", "0123456789abcdef0123456789abcdef")
        prepare(Settings(endpoint_url="http://model", data_dir=tmp_path_factory.mktemp("chainlit")))
        chainlit("server")
        yield


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('history')}/history.db"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with opened(url) as opened_store:
        yield opened_store


@pytest.fixture
def layer(store: Store) -> Any:
    """Return the data layer, as Chainlit finds it."""
    made = import_module("kaito_chat.history.layer").Layer(store)
    data = chainlit("data")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(data, "_data_layer", made)
        patched.setattr(data, "_data_layer_initialized", True)
        yield made


async def emit(*_: object) -> None:
    """Ignore an event."""


def session(identifier: str | None = "ada", thread_id: str = THREAD) -> Any:
    """Make an open page the context of the current task."""
    user = chainlit("user").User(identifier=identifier) if identifier else None
    made = chainlit("session").WebsocketSession(
        id=str(uuid.uuid4()),
        socket_id=str(uuid.uuid4()),
        emit=emit,
        emit_call=emit,
        user_env={},
        client_type="webapp",
        user=user,
        thread_id=thread_id,
    )
    chainlit("context").init_ws_context(made)
    return made


def ask(output: str) -> dict[str, Any]:
    """Return a question as a page sends it."""
    message = {"id": str(uuid.uuid4()), "name": "ada", "type": "user_message", "output": output}
    return {"message": message | {"createdAt": "2026-01-01T00:00:00Z"}, "fileReferences": None}


async def test_what_chainlit_writes_without_waiting_arrives_in_order_and_has_an_owner(
    url: str, layer: Any, store: Store
) -> None:
    page = session()
    await chainlit("context").context.emitter.process_message(ask("hello\x00"))
    message = chainlit("message").Message
    for number in range(5):
        await message(f"answer {number}", created_at=f"2027-01-0{number + 1}T00:00:00.000000Z").send()
    gone = await message("warming up").send()
    await gone.remove()
    await asyncio.sleep(0.05)
    assert await store.written(THREAD, 10)
    assert await texts(url) == ["hello", *(f"answer {number}" for number in range(5))]
    assert await layer.get_thread_author(THREAD) == "ada"
    (listed,) = (await store.list_threads("ada")).threads
    assert listed["name"] == "hello"
    assert page.has_first_interaction


async def test_nothing_is_stored_before_the_first_question(layer: Any, store: Store) -> None:
    session()
    await layer.create_step({"id": "s", "threadId": THREAD, "output": "welcome", "type": "assistant_message"})
    assert store.outbox.pending == 0


async def test_a_page_stores_nothing_in_the_conversation_of_another(url: str, layer: Any, store: Store) -> None:
    await stored(store, "ada", THREAD, "mine")
    changes = told(store)
    page = session("eve")
    page.has_first_interaction = True
    await layer.create_step({"id": "s", "threadId": THREAD, "output": "not mine", "type": "user_message"})
    await layer.update_step({"id": f"{THREAD}-0", "threadId": OTHER, "output": "not mine", "type": "user_message"})
    await layer.delete_step(f"{THREAD}-0")
    await layer.update_thread(THREAD, name="taken", user_id="of ada", metadata={"a": 1})
    assert await store.flush(10) == 0
    assert await texts(url) == ["mine"]
    assert {change.kind for change in changes} == {"foreign"}


async def test_a_page_without_sign_in_stores_nothing_and_breaks_nothing(layer: Any, store: Store) -> None:
    page = session(None)
    page.has_first_interaction = True
    await layer.create_step({"id": "s", "threadId": THREAD, "output": "x", "type": "user_message"})
    await layer.delete_step("s")
    assert store.outbox.pending == 0


async def test_feedback_without_a_user_is_refused(layer: Any, store: Store) -> None:
    await stored(store, "ada", THREAD, "mine")
    feedback = chainlit("types").Feedback(forId=f"{THREAD}-0", value=1)
    with pytest.raises(HistoryRefusedError):
        await layer.upsert_feedback(feedback)
    with pytest.raises(HistoryRefusedError):
        await layer.delete_feedback("f")


async def test_a_request_changes_what_is_there_and_makes_nothing(url: str, layer: Any, store: Store) -> None:
    await layer.update_thread(THREAD, name="new", metadata={"a": 1})
    assert await store.get_thread(THREAD) is None
    await stored(store, "ada", THREAD, "hello")
    await layer.update_thread(THREAD, name="new", metadata={"a": 1})
    thread = await layer.get_thread(THREAD)
    assert (thread["name"], thread["metadata"], thread["userIdentifier"]) == ("new", {"a": 1}, "ada")
    await layer.delete_thread(THREAD)
    assert await texts(url) == []
    await layer.delete_thread(THREAD)


async def test_an_unknown_conversation_has_no_author(layer: Any) -> None:
    assert await layer.get_thread_author("nowhere") == ""
    assert await layer.get_thread("nowhere") is None


async def test_users_and_their_conversations_are_what_chainlit_expects(layer: Any, store: Store) -> None:
    user = await layer.create_user(chainlit("user").User(identifier="ada", metadata={"provider": "x"}))
    assert await layer.get_user("ada") == user
    assert await layer.get_user("nobody") is None
    await stored(store, "ada", THREAD, "hello")
    await stored(store, "ada", OTHER, "hello again")
    types = chainlit("types")
    first = await layer.list_threads(types.Pagination(first=1), types.ThreadFilter(userId=user.id))
    second = await layer.list_threads(
        types.Pagination(first=1, cursor=first.pageInfo.endCursor), types.ThreadFilter(userId=user.id)
    )
    assert [each["id"] for each in (*first.data, *second.data)] == [OTHER, THREAD]
    assert (first.pageInfo.hasNextPage, second.pageInfo.hasNextPage) == (True, False)
    nobody = await layer.list_threads(types.Pagination(first=-5, cursor="\x00"), types.ThreadFilter(userId="x"))
    assert nobody.to_dict()["data"] == []


async def test_a_favorite_message_is_found(layer: Any, store: Store) -> None:
    user = await layer.create_user(chainlit("user").User(identifier="ada"))
    await stored(store, "ada", THREAD, "hello")
    page = session()
    page.has_first_interaction = True
    step = (await store.get_thread(THREAD) or {})["steps"][0]
    await layer.set_step_favorite(step, favorite=True)
    assert await store.written(THREAD, 10)
    assert [each["id"] for each in await layer.get_favorite_steps(user.id)] == [step["id"]]
