"""Requests to Azure Resource Manager: one pipeline with sign-in, bounded retries and bounded waits.

See: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

import threading
import time
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from azure.core.credentials import AccessTokenInfo, SupportsTokenInfo, TokenCredential, TokenRequestOptions
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core import ARMPipelineClient
from requests.adapters import HTTPAdapter

from aks_kaito_cli.azure.errors import (
    AzureAnswerError,
    ForbiddenError,
    NotFoundError,
    SignInError,
    ThrottledError,
)
from aks_kaito_cli.azure.versions import version_of

PUBLIC = "https://management.azure.com"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_CONNECT_SECONDS = 10
_READ_SECONDS = 30
# Longer waits are for the user to decide.
_LONGEST_WAIT_SECONDS = 20
_MOST_PAGES = 200
_CONNECTIONS = 64
_CUT = 300
_ODATA = {"filter", "expand", "top"}
# A token that ends sooner is replaced.
_FRESH_SECONDS = 300
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429

Answer = dict[str, Any]


class _BoundedRetries(RetryPolicy[Any, Any]):
    """Retries that obey Retry-After up to a limit; after a longer one, the answer itself is the result."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Return whether to ask again."""
        if (self.get_retry_after(response) or 0) > _LONGEST_WAIT_SECONDS:
            return False
        return bool(super().is_retry(settings, response))


class _OneSignIn:
    """A credential that signs in once for all threads: az is a process, which takes a second of a processor."""

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential
        self._found: AccessTokenInfo | None = None
        self._lock = threading.Lock()

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return the token; another one where Azure asks for further claims, or where it ends soon."""
        with self._lock:
            if self._found is None or options or self._found.expires_on - time.time() < _FRESH_SECONDS:
                self._found = self._signed_in(*scopes, options=options)
            return self._found

    def _signed_in(self, *scopes: str, options: TokenRequestOptions | None) -> AccessTokenInfo:
        if isinstance(self._credential, SupportsTokenInfo):
            return self._credential.get_token_info(*scopes, options=options or {})
        found = self._credential.get_token(*scopes)
        return AccessTokenInfo(found.token, found.expires_on)

    def close(self) -> None:
        """Keep nothing open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Arm:
    """Azure Resource Manager, as one identity sees it. Threads may share it.

    Attributes:
        endpoint: The API's address.
    """

    def __init__(self, credential: TokenCredential, endpoint: str = PUBLIC) -> None:
        """Open the pipeline.

        Raises:
            ValueError: The endpoint is neither HTTPS nor on loopback, so that a token would be readable on its way.
        """
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError(f"{endpoint}: must begin with https://; http:// works on loopback only")
        self.endpoint = endpoint.rstrip("/")
        self._credential = _OneSignIn(credential)
        self._encrypted = parts.scheme == "https"
        self._scope = f"{PUBLIC}/.default"
        self._client: ARMPipelineClient[HttpRequest, HttpResponse] = ARMPipelineClient(
            base_url=self.endpoint,
            transport=_transport(),
            policies=[
                _BoundedRetries(retry_total=3, retry_backoff_factor=0.5, retry_backoff_max=5, timeout=60),
                BearerTokenCredentialPolicy(self._credential, self._scope),
            ],
        )

    def token(self) -> AccessTokenInfo:
        """Return the token of the sign-in, whose claims and end a caller may read.

        Raises:
            SignInError: Nobody is signed in.
        """
        try:
            return self._credential.get_token_info(self._scope)
        except AzureError as error:
            raise SignInError(_words(error)) from None

    def get(self, path: str, **query: str) -> Answer:
        """Read one resource, or the one answer of a question.

        Raises:
            AzureAnswerError: One of its subclasses, or the answer is none or no JSON object.
        """
        return self._object(self._sent("GET", path, query))

    def pages(self, path: str, **query: str) -> list[Answer]:
        """Read a list to its last page.

        Raises:
            AzureAnswerError: As for `get`; also where a next page would be at another host, or pages do not end.
        """
        found: list[Answer] = []
        answer = self.get(path, **query)
        for _ in range(_MOST_PAGES):
            values = answer.get("value")
            if not isinstance(values, list):
                raise AzureAnswerError(f"{path}: the answer has no list of values")
            found += values
            following = answer.get("nextLink") or ""
            if not following:
                return found
            if urlsplit(following)[:2] != urlsplit(self.endpoint)[:2]:
                raise AzureAnswerError(f"{path}: the next page is at {urlsplit(following).netloc}, which gets no token")
            answer = self._object(self._sent("GET", following, {}))
        raise AzureAnswerError(f"{path}: more than {_MOST_PAGES} pages")

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Ask a question that has a body, or an action's answer; an empty object for an empty answer.

        Raises:
            AzureAnswerError: As for `get`.
        """
        return self._object(self._sent("POST", path, {}, body or {}), empty=True)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> HttpResponse:
        """Send a request and return its answer with status and headers, for operations that take longer.

        Raises:
            AzureAnswerError: As for `get`.
        """
        return self._sent(method, path, {}, body)

    def _sent(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        if path.startswith("/"):
            # OData's options begin with $, which no keyword can.
            named = {f"${key}" if key in _ODATA else key: value for key, value in query.items()}
            request = HttpRequest(
                method, f"{self.endpoint}{path}", params={"api-version": version_of(path), **named}, json=body
            )
        else:
            request = HttpRequest(method, path, json=body)
        try:
            answer: HttpResponse = self._client.send_request(
                request,
                connection_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                enforce_https=self._encrypted,
            )
        except ClientAuthenticationError as error:
            raise SignInError(_words(error)) from None
        except AzureError as error:
            raise AzureAnswerError(f"Azure does not answer: {_words(error)}") from None
        if answer.status_code >= 400:  # noqa: PLR2004 - the first status of an error
            raise _error(path, answer)
        return answer

    def _object(self, answer: HttpResponse, *, empty: bool = False) -> Answer:
        if empty and not answer.content:
            return {}
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise AzureAnswerError(f"{answer.request.url}: the answer is no JSON object", answer.status_code)
        return found


def _transport() -> RequestsTransport:
    """Return a transport that keeps a connection for each check that runs beside others."""
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
    session.mount("http://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
    return RequestsTransport(session=session)


def _error(path: str, answer: HttpResponse) -> AzureAnswerError:
    """Return the exception for an answer with an error's status."""
    try:
        body = answer.json()
        error = body.get("error", body)
        code, message = str(error.get("code") or ""), str(error.get("message") or "")
    except (ValueError, AttributeError):
        code, message = "", ""
    status = answer.status_code
    text = f"HTTP {status}{f' {code}' if code else ''} for {path}{f': {_line(message)}' if message else ''}"
    if status == _UNAUTHORIZED:
        return SignInError(text, status, code)
    if status == _TOO_MANY:
        return ThrottledError(f"Azure asks to wait {answer.headers.get('Retry-After', 'some')} seconds: {text}", status)
    return {_FORBIDDEN: ForbiddenError, _NOT_FOUND: NotFoundError}.get(status, AzureAnswerError)(text, status, code)


def _words(error: AzureError) -> str:
    return _line(error.message or str(error))


def _line(text: str) -> str:
    """Return a text on one line, without a length that fills the terminal."""
    line = " ".join(text.split())
    return line if len(line) <= _CUT else f"{line[:_CUT]}..."
