"""Requests to model servers over one pool of connections."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx

from kaito_chat.backends.error_responses import connection_error, http_error, not_api_error
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.response_stream import ResponseStream, Transport

Headers = Callable[[], Awaitable[Mapping[str, str]]]
LARGEST_BODY_BYTES = 4_000_000
KEEP_ALIVE_SECONDS = 30
# The client raises httpx's errors, and some of aiohttp's that its transport does not translate.
BROKEN = (httpx.HTTPError, aiohttp.ClientError)


async def no_headers() -> Mapping[str, str]:
    """Return no headers, for servers without authentication."""
    return {}


@dataclass(frozen=True)
class Timeouts:
    """Times in seconds.

    Attributes:
        connect: Timeout to connect.
        first_token: Timeout for the first token.
        token: Timeout between tokens.
        answer: Timeout for the whole answer.
        pause: Pause after each read of an answer that has begun, in which its tokens collect in the connection.
    """

    connect: float = 5
    first_token: float = 120
    token: float = 30
    answer: float = 600
    pause: float = 0


def trust(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return the trusted certificates: the public ones, the system's, and those of a file.

    Raises:
        OSError: The file cannot be read, or holds no certificate.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def pool(
    connect_timeout_seconds: float, max_connections: int, ca_file: Path | None = None, *, encrypted: bool = True
) -> httpx.AsyncClient:
    """Return the pool that all sessions share. Proxies of the environment are not used: models are in the cluster.

    Redirects are never followed: they would send questions, and a key, to another address.

    Args:
        connect_timeout_seconds: Limit for opening a connection, and default for the other phases of a request.
        max_connections: Limit for open connections, to all servers together.
        ca_file: Certificates to trust beside the system's.
        encrypted: Whether any address begins with `https://`; otherwise no certificate is loaded, and none is trusted.

    Raises:
        OSError: The file cannot be read, or holds no certificate.
    """
    trusted = trust(ca_file) if encrypted or ca_file else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    timeout = httpx.Timeout(connect_timeout_seconds)
    limits = httpx.Limits(max_connections=max_connections, keepalive_expiry=KEEP_ALIVE_SECONDS)
    transport = Transport(verify=trusted, limits=limits, trust_env=False)
    return httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)


class Endpoint:
    """The HTTP address of a model server, over the shared pool."""

    def __init__(self, client: httpx.AsyncClient, url: str, timeouts: Timeouts, headers: Headers = no_headers) -> None:
        self._client = client
        self._headers = headers
        self.url = url
        self.timeouts = timeouts

    async def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request, and return the whole response with any status.

        Raises:
            BackendError: There is no response in time, or it is too large.
        """
        try:
            async with (
                asyncio.timeout(self.timeouts.connect * 2),
                self._client.stream(method, self.url + path, json=body, headers=await self._credentials()) as response,
            ):
                return await _read(response)
        except TimeoutError:
            raise BackendError(Kind.SLOW, f"no answer to {method} {path} in time") from None
        except BROKEN as error:
            raise connection_error(error) from error

    async def ask(self, path: str, body: object) -> httpx.Response:
        """Post a question, and return the answer, which comes as one document.

        Raises:
            BackendError: The server refuses, fails or takes too long.
        """
        timeouts = self.timeouts
        try:
            async with asyncio.timeout(timeouts.answer), self._post(path, body, timeouts.answer) as response:
                whole = await _read(response)
        except TimeoutError:
            raise BackendError(Kind.SLOW, f"no answer within {timeouts.answer:g} s") from None
        except BROKEN as error:
            raise connection_error(error) from error
        if not_api := not_api_error(whole):
            raise not_api
        if whole.is_error:
            raise http_error(whole)
        return whole

    @asynccontextmanager
    async def stream(self, path: str, body: object) -> AsyncIterator[ResponseStream]:
        """Post a question, and stream the answer; leaving the context aborts the request.

        Raises:
            BackendError: The server refuses, fails, takes too long for its first token or between two tokens.
        """
        timeouts = self.timeouts
        streamed: ResponseStream | None = None
        try:
            async with asyncio.timeout(timeouts.first_token) as deadline, self._post(path, body, None) as response:
                if not_api := not_api_error(response):
                    raise not_api
                if response.is_error:
                    raise http_error(await _read(response))
                streamed = ResponseStream(response, deadline, timeouts.token, timeouts.pause)
                yield streamed
        except TimeoutError:
            if streamed and streamed.begun:
                raise BackendError(Kind.CUT_OFF, f"nothing for {timeouts.token:g} s") from None
            raise BackendError(Kind.SLOW, f"no first token within {timeouts.first_token:g} s") from None
        except BROKEN as error:
            if streamed and streamed.begun:
                raise BackendError(Kind.CUT_OFF, str(error) or type(error).__name__) from error
            raise connection_error(error) from error

    @asynccontextmanager
    async def _post(self, path: str, body: object, read_seconds: float | None) -> AsyncIterator[httpx.Response]:
        connect = self.timeouts.connect
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


async def read_all(chunks: AsyncIterator[bytes]) -> bytes:
    """Return all bytes of a response, up to a limit.

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
    """Return the response with its body."""
    body = await read_all(response.aiter_bytes())
    decoded = ("content-encoding", "content-length")
    headers = {key: value for key, value in response.headers.items() if key not in decoded}
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)
