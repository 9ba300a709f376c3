"""KAITO's RAGEngine: answers questions from the documents of an index, with a model that it calls itself.

It accepts OpenAI's chat completions with an `index_name`, lists no models, and does not stream if an index is named.

See: https://kaito-project.github.io/kaito/docs/rag
"""

from collections.abc import AsyncGenerator
from typing import Any

import httpx

from kaito_chat.backends.completions import whole
from kaito_chat.backends.error_responses import http_error, not_api_error
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.http import Endpoint
from kaito_chat.backends.interface import Capabilities, Event, Quirks, Request, ServedModel
from kaito_chat.backends.openai import OpenAI
from kaito_chat.backends.responses import json_of
from kaito_chat.backends.thinking import ThinkingSplitter

INDEXES = "/indexes"


class RAGEngine(OpenAI):
    """A RAGEngine.

    Args:
        endpoint: Its address.
        model_id: The id of the model that it calls; its own choice when left out.
        index_name: The index to answer from; without one, it passes questions to its model unchanged.
    """

    capabilities = Capabilities(streaming=False)

    def __init__(self, endpoint: Endpoint, model_id: str | None = None, index_name: str | None = None) -> None:
        super().__init__(endpoint, "rag", model_id)
        self._index_name = index_name

    async def describe(self) -> ServedModel:
        """Return the configured model, if the engine answers; it does not report the model that it calls."""
        response = await self._endpoint.request("GET", INDEXES)
        if error := not_api_error(response):
            raise error
        if response.is_error:
            raise http_error(response)
        if indexes_of(response) is None:
            raise BackendError(Kind.GARBLED, f"{INDEXES} does not answer with a list of names")
        return ServedModel(self._model_id or "")

    def _body(self, request: Request) -> dict[str, Any]:
        body = super()._body(request) | {"stream": False}
        body.pop("stream_options", None)
        return body | ({"index_name": self._index_name} if self._index_name else {})

    async def _events(self, request: Request, quirks: Quirks) -> AsyncGenerator[list[Event]]:
        try:
            response = await self._endpoint.ask(self._path(plain=request.plain), request.body)
        except BackendError as error:
            if error.status == httpx.codes.NOT_FOUND and error.kind is Kind.NOT_READY:
                raise BackendError(Kind.REFUSED, error.detail, status=error.status, said=error.said) from None
            raise
        if events := ThinkingSplitter(quirks).split(whole(response.content)):
            yield events


async def is_rag(endpoint: Endpoint) -> bool:
    """Return whether a server without `/v1/models` is a RAGEngine: no other server lists indexes."""
    response = await endpoint.request("GET", INDEXES)
    return response.is_success and indexes_of(response) is not None


def indexes_of(response: httpx.Response) -> list[str] | None:
    """Return the names of the indexes; `None` if the response is no list of names."""
    names = json_of(response)
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None
