"""KAITO's RAGEngine: answers questions from the documents of an index, by way of a model that it asks itself.

It takes OpenAI's chat completions with an `index_name`, lists no models, and does not stream where an index is named.

See: https://kaito-project.github.io/kaito/docs/rag
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx

from kaito_chat.backends.completions import whole
from kaito_chat.backends.error_responses import refusal, stranger
from kaito_chat.backends.http import Server
from kaito_chat.backends.interface import Event, Limits, Quirks, Sampling, Served, Turn
from kaito_chat.backends.openai import Form, OpenAI
from kaito_chat.backends.responses import json_of
from kaito_chat.backends.thinking import ToldApart
from kaito_chat.trouble import BackendError, Kind

INDEXES = "/indexes"


class RAGEngine(OpenAI):
    """A RAGEngine.

    Args:
        server: Where it is.
        model: The id that it asks its own model for; its own choice when left out.
        index_name: The index to answer from; without one, questions go to its model as they are.
    """

    limits = Limits(streaming=False)

    def __init__(self, server: Server, model: str | None = None, index_name: str | None = None) -> None:
        super().__init__(server, "rag", model)
        self._index_name = index_name

    async def describe(self) -> Served:
        """The model that was configured, if the engine answers; it does not say which one it asks."""
        response = await self._server.request("GET", INDEXES)
        if strange := stranger(response):
            raise strange
        if response.is_error:
            raise refusal(response)
        if indexes_of(response) is None:
            raise BackendError(Kind.GARBLED, f"{INDEXES} does not answer with a list of names")
        return Served(self._model or "")

    def _body(self, served: Served, turns: Sequence[Turn], sampling: Sampling, form: Form) -> dict[str, Any]:
        body = super()._body(served, turns, sampling, form) | {"stream": False}
        body.pop("stream_options", None)
        return body | ({"index_name": self._index_name} if self._index_name else {})

    async def _attempt(self, body: dict[str, Any], quirks: Quirks, *, plain: bool) -> AsyncGenerator[Event]:
        try:
            response = await self._server.ask(self._path(plain=plain), body)
        except BackendError as error:
            if error.status == httpx.codes.NOT_FOUND and error.kind is Kind.NOT_READY:
                raise BackendError(Kind.REFUSED, error.detail, status=error.status, said=error.said) from None
            raise
        for event in ToldApart(quirks).tell(whole(response.content)):
            yield event


async def is_rag(server: Server) -> bool:
    """Whether a server that has no `/v1/models` is a RAGEngine: no other one lists indexes."""
    response = await server.request("GET", INDEXES)
    return response.is_success and indexes_of(response) is not None


def indexes_of(response: httpx.Response) -> list[str] | None:
    """The names of the indexes; `None` if the answer is no list of names."""
    names = json_of(response)
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None
