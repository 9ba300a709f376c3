"""The price list on loopback: paging, currencies, every failure, and the answers that are kept."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from aks_kaito_cli.cost import cache
from aks_kaito_cli.cost.retail import PriceListError, RetailPrices, currency_code
from support.prices import Answer, FakePrices, running

BASTION = "serviceName eq 'Azure Bastion' and armRegionName eq 'westeurope' and priceType eq 'Consumption'"


@pytest.fixture
def fake() -> Iterator[FakePrices]:
    with running() as prices:
        yield prices


@pytest.fixture
def variables(fake: FakePrices, tmp_path: Path) -> dict[str, str]:
    return {"AKS_KAITO_PRICES_ENDPOINT": fake.endpoint, "XDG_CACHE_HOME": str(tmp_path)}


def stored(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "aks-kaito" / "prices").glob("*.json"))


def make_older(tmp_path: Path, **age: float) -> None:
    (path,) = stored(tmp_path)
    text = json.loads(path.read_text(encoding="utf-8"))
    text["asked"] = (datetime.now(UTC) - timedelta(**age)).isoformat()
    path.write_text(json.dumps(text), encoding="utf-8")


def test_a_request_names_version_currency_and_filter(fake: FakePrices, variables: dict[str, str]) -> None:
    (item,) = RetailPrices(variables).items(BASTION)
    assert (item["meterName"], item["unitPrice"]) == ("Basic Gateway", Decimal("0.19"))
    assert fake.requests == [{"api-version": "2023-01-01-preview", "currencyCode": "USD", "$filter": BASTION}]


def test_all_pages_are_read_in_one_currency(fake: FakePrices, variables: dict[str, str]) -> None:
    fake.page = 7
    items = RetailPrices(variables, "EUR").items("priceType eq 'Consumption'")
    assert len(items) == len(fake.entries)
    assert {each["currencyCode"] for each in items} == {"EUR"}
    assert len(fake.requests) == -(-len(fake.entries) // 7)
    assert fake.requests[1]["$skip"] == "7"


def test_a_link_with_the_usual_port_is_the_same_server(fake: FakePrices, variables: dict[str, str]) -> None:
    from aks_kaito_cli.cost import retail  # noqa: PLC0415

    assert retail._server("https://prices.azure.com:443/a") == retail._server("https://prices.azure.com/b")  # noqa: SLF001
    fake.answers = [page(f"{fake.endpoint.replace('127.0.0.1', 'localhost')}?x=1")]
    with pytest.raises(PriceListError, match="the next page of the price list is at another server: localhost"):
        RetailPrices(variables).items(BASTION)


def page(following: str) -> Answer:
    return Answer(200, json.dumps({"Items": [], "NextPageLink": following}).encode())


def test_pages_without_an_end_end(fake: FakePrices, variables: dict[str, str]) -> None:
    fake.answers = [page(fake.endpoint) for _ in range(200)]
    with pytest.raises(PriceListError, match="more than 100 pages"):
        RetailPrices(variables).items(BASTION)


def test_a_passing_fault_and_a_short_wait_are_survived(fake: FakePrices, variables: dict[str, str]) -> None:
    fake.answers = [Answer(503, b"<html>"), Answer(429, b"{}", {"Retry-After": "1"}), None]
    began = time.monotonic()
    assert len(RetailPrices(variables).items(BASTION)) == 1
    assert 1 <= time.monotonic() - began < 10


def test_a_long_wait_is_reported_instead(fake: FakePrices, variables: dict[str, str]) -> None:
    fake.answers = [Answer(429, b"{}", {"Retry-After": "600"})]
    began = time.monotonic()
    with pytest.raises(PriceListError, match="asks to wait 600 seconds"):
        RetailPrices(variables).items(BASTION)
    assert time.monotonic() - began < 5
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(400, b'{"Error": {"Message": "bad filter"}}'), "answers HTTP 400: .*bad filter"),
        (Answer(403, b"blocked by the proxy"), "answers HTTP 403: blocked by the proxy"),
        (Answer(200, b"<html>sign in</html>"), "answers something that is no price list"),
        (Answer(200, b"[]"), "no price list"),
        (Answer(200, b'{"Items": null}'), "no price list"),
        (Answer(200, b'{"Items": ["a"]}'), "no price list"),
        (Answer(200, b""), "no price list"),
        (Answer(200, b'{"Items": [{"currencyCode": "GBP"}]}'), "answers in another currency than USD"),
    ],
)
def test_each_failure_is_said(fake: FakePrices, variables: dict[str, str], answer: Answer, words: str) -> None:
    fake.answers = [answer]
    with pytest.raises(PriceListError, match=words):
        RetailPrices(variables).items(BASTION)


def test_a_question_is_asked_once_also_if_it_fails(fake: FakePrices, variables: dict[str, str]) -> None:
    fake.answers = [Answer(403, b"blocked")]
    prices = RetailPrices(variables)
    for _ in range(2):
        with pytest.raises(PriceListError, match="HTTP 403"):
            prices.items(BASTION)
    other = BASTION.replace("Bastion", "DNS")
    assert prices.items(other) == prices.items(other)
    assert len(fake.requests) == 2


def test_a_server_that_always_fails_is_asked_four_times(fake: FakePrices, variables: dict[str, str]) -> None:
    fake.answers = [Answer(500, b"", {"Retry-After": "0"})] * 9
    with pytest.raises(PriceListError, match="answers HTTP 500"):
        RetailPrices(variables).items(BASTION)
    assert len(fake.requests) == 4


def test_an_unreachable_server_is_asked_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}/prices"
    prices = RetailPrices({"AKS_KAITO_PRICES_ENDPOINT": endpoint, "XDG_CACHE_HOME": str(tmp_path)})
    for _ in range(2):
        with pytest.raises(PriceListError, match=r"http://127.0.0.1:\d+ cannot be reached: .*refused"):
            prices.items(BASTION)


def test_a_slow_server_is_out_of_reach(
    fake: FakePrices, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aks_kaito_cli.cost.retail._READ_SECONDS", 0.2)
    fake.seconds = 1
    with pytest.raises(PriceListError, match="cannot be reached: ReadTimeout"):
        RetailPrices(variables).items(BASTION)
    assert len(fake.requests) <= 1


def test_prices_without_encryption_are_refused() -> None:
    with pytest.raises(ValueError, match="must begin with https://"):
        RetailPrices({"AKS_KAITO_PRICES_ENDPOINT": "http://prices.kaito.dev"})


def test_an_answer_is_kept_for_a_week(fake: FakePrices, variables: dict[str, str], tmp_path: Path) -> None:
    first = RetailPrices(variables).items(BASTION)
    make_older(tmp_path, days=6.9)
    again = RetailPrices(variables)
    assert again.items(BASTION) == first
    assert again.oldest is not None
    assert datetime.now(UTC) - again.oldest > timedelta(days=6)
    assert len(fake.requests) == 1
    make_older(tmp_path, days=7.1)
    assert RetailPrices(variables).items(BASTION) == first
    assert len(fake.requests) == 2
    RetailPrices(variables, refresh=True).items(BASTION)
    assert len(fake.requests) == 3
    assert len(stored(tmp_path)) == 1


def test_each_currency_and_endpoint_is_kept_apart(fake: FakePrices, variables: dict[str, str], tmp_path: Path) -> None:
    for currency in ("USD", "EUR", "USD"):
        RetailPrices(variables, currency).items(BASTION)
    assert (len(fake.requests), len(stored(tmp_path))) == (2, 2)
    with running() as other:
        RetailPrices({**variables, "AKS_KAITO_PRICES_ENDPOINT": other.endpoint}).items(BASTION)
        assert len(other.requests) == 1


def test_an_old_answer_is_used_where_there_is_no_new_one(
    fake: FakePrices, variables: dict[str, str], tmp_path: Path
) -> None:
    RetailPrices(variables).items(BASTION)
    make_older(tmp_path, days=30)
    fake.answers = [Answer(403, b"blocked")]
    prices = RetailPrices(variables)
    assert prices.items(BASTION)[0]["unitPrice"] == Decimal("0.19")
    assert prices.oldest is not None
    assert (datetime.now(UTC) - prices.oldest).days == 30
    assert "HTTP 403: blocked" in prices.problem


@pytest.mark.parametrize("text", ["", "{", "[]", '{"items": []}', '{"question": [], "asked": "x", "items": []}'])
def test_a_broken_file_is_asked_again(fake: FakePrices, variables: dict[str, str], tmp_path: Path, text: str) -> None:
    RetailPrices(variables).items(BASTION)
    (path,) = stored(tmp_path)
    path.write_text(text, encoding="utf-8")
    assert len(RetailPrices(variables).items(BASTION)) == 1
    assert len(fake.requests) == 2


def test_a_folder_that_cannot_be_written_is_no_failure(
    fake: FakePrices, variables: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "aks-kaito").write_text("a file", encoding="utf-8")
    assert len(RetailPrices(variables).items(BASTION)) == 1
    assert len(fake.requests) == 1


def test_the_cache_is_where_the_platform_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache.folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/aks-kaito")
    monkeypatch.setattr("sys.platform", "linux")
    assert cache.folder({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == Path("/h/.cache/aks-kaito")
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache.folder({"HOME": "/h"}) == Path("/h/Library/Caches/aks-kaito")


@pytest.mark.parametrize("text", ["", "EU", "EURO", "E R", "€"])
def test_a_currency_has_three_letters(text: str) -> None:
    with pytest.raises(ValueError, match="must be a code of three letters"):
        currency_code(text)
    assert currency_code("eur") == "EUR"


@pytest.mark.parametrize("link", [7, "http://[bad", "https://prices.azure.com:port/"])
def test_a_malformed_link_is_no_end_of_the_list(fake: FakePrices, variables: dict[str, str], link: object) -> None:
    fake.answers = [Answer(200, json.dumps({"Items": [], "NextPageLink": link}).encode())]
    with pytest.raises(PriceListError, match=r"malformed address|another server"):
        RetailPrices(variables).items(BASTION)
