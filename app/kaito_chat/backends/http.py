"""One pool of connections, and one way to ask over it."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from kaito_chat.backends.error_responses import no_answer, refusal, stranger
from kaito_chat.trouble import BackendError, Kind

Headers = Callable[[], Awaitable[Mapping[str, str]]]
LARGEST_BODY_BYTES = 4_000_000
KEEP_ALIVE_SECONDS = 30
# What the client raises: httpx's errors, and what its transport leaves as aiohttp's.
BROKEN = (httpx.HTTPError, aiohttp.ClientError)


async def no_headers() -> Mapping[str, str]:
    """For servers that want no credential."""
    return {}


@dataclass(frozen=True)
class Patience:
    """Timeouts, in seconds."""

    connect: float = 5
    first_token: float = 120
    token: float = 30
    answer: float = 600


def trust(ca_file: Path | None = None) -> ssl.SSLContext:
    """The certificates that servers may show: the public ones, the system's, and those of a file.

    Raises:
        OSError: The file cannot be read, or holds no certificate.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def pool(connect_timeout_seconds: float, max_connections: int, ca_file: Path | None = None) -> httpx.AsyncClient:
    """The pool that all sessions share. Proxies of the environment are not used: models are in the cluster.

    Redirects are never followed: they would carry questions, and a key, to another address.

    Args:
        connect_timeout_seconds: For connecting.
        max_connections: At once, to all servers.
        ca_file: Certificates to trust beside the system's.
    """
    timeout = httpx.Timeout(connect_timeout_seconds)
    limits = httpx.Limits(max_connections=max_connections, keepalive_expiry=KEEP_ALIVE_SECONDS)
    transport = AiohttpTransport(verify=trust(ca_file), limits=limits, trust_env=False)
    return httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)


class Pieces:
    """The bytes of a streamed answer, and the time that its next token has.

    Attributes:
        chunks: The bytes, as they arrive.
        begun: Whether a token has arrived.
        whole: Whether the answer comes as one JSON document instead.
    """

    def __init__(self, response: httpx.Response, deadline: asyncio.Timeout, token_seconds: float) -> None:
        self.chunks: AsyncIterator[bytes] = response.aiter_bytes()
        self.begun = False
        self.whole = response.headers.get("content-type", "").startswith("application/json")
        self._deadline = deadline
        self._token_seconds = token_seconds
        self._time = asyncio.get_running_loop().time

    def progress(self) -> None:
        """Say that a token arrived: the next one has its own time. Comments and empty pieces are no progress."""
        self.begun = True
        self._deadline.reschedule(self._time() + self._token_seconds)


class Server:
    """A model's server, at its address, over the shared pool."""

    def __init__(self, client: httpx.AsyncClient, url: str, patience: Patience, headers: Headers = no_headers) -> None:
        self._client = client
        self._headers = headers
        self.url = url
        self.patience = patience

    async def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Ask for something small, and read it whole; any status is returned.

        Raises:
            BackendError: Nobody answers, or the answer is too large.
        """
        try:
            async with (
                asyncio.timeout(self.patience.connect * 2),
                self._client.stream(method, self.url + path, json=body, headers=await self._credentials()) as response,
            ):
                return await _read(response)
        except TimeoutError:
            raise BackendError(Kind.SLOW, f"no answer to {method} {path} in time") from None
        except BROKEN as error:
            raise no_answer(error) from error

    async def ask(self, path: str, body: object) -> httpx.Response:
        """Ask for an answer that comes as a whole.

        Raises:
            BackendError: The server refuses, breaks or takes too long.
        """
        patience = self.patience
        try:
            async with asyncio.timeout(patience.answer), self._post(path, body, patience.answer) as response:
                whole = await _read(response)
        except TimeoutError:
            raise BackendError(Kind.SLOW, f"no answer within {patience.answer:g} s") from None
        except BROKEN as error:
            raise no_answer(error) from error
        if strange := stranger(whole):
            raise strange
        if whole.is_error:
            raise refusal(whole)
        return whole

    @asynccontextmanager
    async def stream(self, path: str, body: object) -> AsyncIterator["Pieces"]:
        """Ask for an answer that comes in pieces; leaving the context closes the request at the server.

        Raises:
            BackendError: The server refuses, breaks, takes too long for its first token or between two tokens.
        """
        patience = self.patience
        pieces: Pieces | None = None
        try:
            async with asyncio.timeout(patience.first_token) as deadline, self._post(path, body, None) as response:
                if strange := stranger(response):
                    raise strange
                if response.is_error:
                    raise refusal(await _read(response))
                pieces = Pieces(response, deadline, patience.token)
                yield pieces
        except TimeoutError:
            if pieces and pieces.begun:
                raise BackendError(Kind.CUT_OFF, f"nothing for {patience.token:g} s") from None
            raise BackendError(Kind.SLOW, f"no first token within {patience.first_token:g} s") from None
        except BROKEN as error:
            if pieces and pieces.begun:
                raise BackendError(Kind.CUT_OFF, str(error) or type(error).__name__) from error
            raise no_answer(error) from error

    @asynccontextmanager
    async def _post(self, path: str, body: object, read_seconds: float | None) -> AsyncIterator[httpx.Response]:
        connect = self.patience.connect
        timeout = httpx.Timeout(connect=connect, pool=connect, write=connect, read=read_seconds)
        headers = {"content-type": "application/json", "accept-encoding": "identity", **await self._credentials()}
        content = json.dumps(body).encode()
        async with self._client.stream(
            "POST", self.url + path, content=content, headers=headers, timeout=timeout
        ) as response:
            yield response

    async def _credentials(self) -> Mapping[str, str]:
        headers = await self._headers()
        if any(set(value) & set("\r\n\0") for value in headers.values()):  # an error that quotes it would quote a key
            raise BackendError(Kind.FAILED, "the request cannot be written: a header is malformed")
        return headers


async def gather(chunks: AsyncIterator[bytes]) -> bytes:
    """The whole of an answer, if that is of a size that a model's server may answer with.

    Raises:
        BackendError: It is larger.
    """
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > LARGEST_BODY_BYTES:
            raise BackendError(Kind.GARBLED, f"an answer of more than {LARGEST_BODY_BYTES} bytes")
    return body


async def _read(response: httpx.Response) -> httpx.Response:
    """The response with its body."""
    body = await gather(response.aiter_bytes())
    decoded = ("content-encoding", "content-length")
    headers = {key: value for key, value in response.headers.items() if key not in decoded}
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)
