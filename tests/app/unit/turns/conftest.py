"""Pages of an application in the process of a test."""

import warnings
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from pydantic import PydanticDeprecatedSince20

from kaito_chat.backends import connect
from kaito_chat.chat import registry
from kaito_chat.chat.limits import UsageLimits
from kaito_chat.chat.services import Services
from kaito_chat.chat.signing_keys import SigningKeys
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.inference_sets import InferenceSets
from kaito_chat.kubernetes.workspace import Workspaces
from kaito_chat.models.objects import Objects
from kaito_chat.models.readiness import Model
from kaito_chat.page.prepare import prepare
from kaito_chat.settings import Settings
from support.chat.in_process import HANDLERS, SECRET, TIMEOUTS, Chat, Open, Server, chainlit
from support.project import ROOT


@pytest.fixture(scope="package", autouse=True)
def _root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Set Chainlit's root, with the files of the running application."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CHAINLIT_APP_ROOT", "")
        prepare(Settings(endpoint_url="http://model", data_dir=tmp_path_factory.mktemp("chainlit")))
        patched.setenv("CHAINLIT_AUTH_SECRET", SECRET)
        with warnings.catch_warnings():  # a library that Chainlit imports warns
            warnings.filterwarnings("ignore", "Support for class-based `config`", PydanticDeprecatedSince20)
            chainlit("server")
        yield


@pytest.fixture
async def page(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens a page of an application in front of a model server."""
    config = chainlit("config")
    monkeypatch.setattr(config.config, "code", config.CodeSettings(action_callbacks={}))
    opened: list[Chat] = []

    async def of(
        server: Server, *, token: str | None = None, api: tuple[str, Path] | None = None, **given: object
    ) -> Chat:
        settings = Settings(**{"coalesce_milliseconds": 0, "max_retries": 0, "endpoint_url": "http://model", **given})  # type: ignore[arg-type]
        client = httpx.AsyncClient(transport=httpx.MockTransport(server))
        api_server = ApiServer(*(api or ("https://api", ROOT)))
        workspaces = Workspaces(api_server, "kaito.sh/v1beta1", None)
        inference_sets = InferenceSets(api_server, "kaito.sh/v1beta1", None)
        models = [
            Model(
                each,
                [connect(server, client, TIMEOUTS) for server in each.servers],
                0.05,
                Objects(each, workspaces, inference_sets),
            )
            for each in settings.configured_models
        ]
        await models[0].check()
        limits = UsageLimits(answers=9, user_answers=9, questions=99, user_questions=99)
        services = Services(settings, client, models, api_server, inference_sets, limits)
        if settings.sign_in != "none":
            services.tokens = import_module("kaito_chat.chat.tokens").Tokens(SigningKeys(SECRET, None, 0), 24)
        registry.use(services)
        config.load_module(str(HANDLERS))
        opened.append(Chat(services, token))
        return opened[-1]

    yield of
    for chat in opened:
        for turn in chat.services.turns:
            turn.cancel()
        chainlit("chat_context").chat_contexts.pop(chat.session.id, None)
        await chat.session.delete()
        await chat.services.close()
