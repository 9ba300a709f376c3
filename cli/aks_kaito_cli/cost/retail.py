"""Azure's public price list: the Retail Prices API, which needs no sign-in.

See: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
"""

import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests

from aks_kaito_cli.cost.cache import FRESH, Cache, Stored, folder

PUBLIC = "https://prices.azure.com/api/retail/prices"
_VERSION = "2023-01-01-preview"
_PORTS = {"https": 443, "http": 80}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_CONNECT_SECONDS = 10
_READ_SECONDS = 30
_TRIES = 4
# Longer waits are for the user to decide.
_LONGEST_WAIT_SECONDS = 20
_MOST_PAGES = 100
_TOO_MANY, _FIRST_ERROR, _FIRST_SERVER_ERROR = 429, 400, 500
_CUT = 200
_CURRENCY = re.compile("[A-Za-z]{3}")


class PriceListError(Exception):
    """The price list gives no usable answer."""


class RetailPrices:
    """The price list in one currency. Threads may share it.

    Attributes:
        currency: The currency of all prices, such as EUR.
        oldest: The time of the oldest answer that was used; None as long as there is none.
        problem: The reason why there is no new answer to the last question that has none; empty if all have one.
    """

    def __init__(self, variables: Mapping[str, str], currency: str = "USD", *, refresh: bool = False) -> None:
        """Choose the endpoint: `AKS_KAITO_PRICES_ENDPOINT` if it is set.

        Raises:
            ValueError: The endpoint is neither HTTPS nor on loopback, so that prices could be changed on their way.
        """
        self.endpoint = variables.get("AKS_KAITO_PRICES_ENDPOINT") or PUBLIC
        parts = urlsplit(self.endpoint)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError(f"{self.endpoint}: must begin with https://; http:// works on loopback only")
        self.currency = currency
        self.oldest: datetime | None = None
        self.problem = ""
        self._refresh = refresh
        self._unreachable: PriceListError | None = None
        self._lock = Lock()
        self._answers: dict[str, list[dict[str, Any]] | PriceListError] = {}
        self._cache = Cache(folder(variables))

    def items(self, query: str) -> list[dict[str, Any]]:
        """Return all entries that an OData filter finds: stored ones of the last week, or asked now.

        Each question is asked once, also if it fails, so that both sides of a comparison have the same prices.

        Raises:
            PriceListError: The price list does not answer, and no answer is stored.
        """
        found = self._answers.get(query)
        if found is None:
            try:
                found = self._stored_or_asked(query)
            except PriceListError as error:
                found = error
            self._answers[query] = found
        if isinstance(found, PriceListError):
            raise found
        return found

    def _stored_or_asked(self, query: str) -> list[dict[str, Any]]:
        question = (self.endpoint, _VERSION, self.currency, query)
        stored = self._cache.find(*question)
        now = datetime.now(UTC)
        if stored and not self._refresh and now - stored.asked < FRESH:
            return self._used(stored)
        try:
            found = self._asked(query)
        except PriceListError as error:
            self.problem = str(error)
            if stored is None:
                raise
            return self._used(stored)
        self._cache.keep(json.dumps(found, default=float), now, *question)
        return self._used(Stored(found, now))

    def _used(self, stored: Stored) -> list[dict[str, Any]]:
        with self._lock:
            self.oldest = min(stored.asked, self.oldest or stored.asked)
        return stored.items

    def _asked(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        url, parameters = self.endpoint, {"api-version": _VERSION, "currencyCode": self.currency, "$filter": query}
        for _ in range(_MOST_PAGES):
            answer = self._page(url, parameters)
            found += answer["Items"]
            url, parameters = str(answer.get("NextPageLink") or ""), {}
            if not url:
                return found
            if _server(url) != _server(self.endpoint):
                raise PriceListError(f"the next page of the price list is at another server: {urlsplit(url).netloc}")
        raise PriceListError(f"the price list has more than {_MOST_PAGES} pages for: {query}")

    def _page(self, url: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        response = self._response(url, parameters)
        try:
            answer = json.loads(response.content, parse_float=Decimal)
        except ValueError:
            answer = None
        items = answer.get("Items") if isinstance(answer, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise PriceListError(f"{_place(url)} answers something that is no price list")
        assert isinstance(answer, dict)  # noqa: S101 - it has Items
        if any(item.get("currencyCode") != self.currency for item in items):
            raise PriceListError(f"{_place(url)} answers in another currency than {self.currency}")
        return answer

    def _response(self, url: str, parameters: Mapping[str, str]) -> requests.Response:
        """Send a request until it has an answer that is no passing fault; none after the server was out of reach."""
        if self._unreachable:
            raise self._unreachable
        for attempt in range(_TRIES):
            try:
                response = requests.get(url, params=parameters, timeout=(_CONNECT_SECONDS, _READ_SECONDS))
            except requests.RequestException as error:
                self._unreachable = PriceListError(f"{_place(url)} cannot be reached: {_words(error)}")
                raise self._unreachable from None
            status = response.status_code
            if status < _FIRST_ERROR:
                return response
            wait = _seconds(response.headers.get("Retry-After"), default=2.0**attempt / 2)
            passes = status == _TOO_MANY or status >= _FIRST_SERVER_ERROR
            if not passes or attempt == _TRIES - 1 or wait > _LONGEST_WAIT_SECONDS:
                break
            time.sleep(wait)
        if status == _TOO_MANY:
            raise PriceListError(f"{_place(url)} asks to wait {wait:g} seconds: too many requests")
        raise PriceListError(f"{_place(url)} answers HTTP {status}: {' '.join(response.text.split())[:_CUT]}")


def currency_code(text: str) -> str:
    """Return a currency's code in upper case, as the price list compares it.

    Raises:
        ValueError: It is no code of three letters.
    """
    if not _CURRENCY.fullmatch(text):
        raise ValueError(f"--currency {text!r}: must be a code of three letters, such as USD or EUR")
    return text.upper()


def _server(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port; Azure's links name the port that is the default."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        raise PriceListError(f"the price list names a malformed address: {url}") from None


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _seconds(text: str | None, default: float) -> float:
    """Return the seconds of Retry-After; it may also be a date."""
    try:
        return max(0.0, float(text)) if text else default
    except ValueError:
        return default


def _words(error: requests.RequestException) -> str:
    """Return the innermost reason on one line, such as: Name or service not known."""
    inner: BaseException = error
    while (following := inner.__cause__ or inner.__context__) is not None:
        inner = following
    return " ".join(f"{type(error).__name__}: {inner}".split())[:_CUT]
