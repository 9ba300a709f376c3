"""Requests to Azure Resource Manager: every way in which it answers, against a fake on loopback."""

import socket
import time
from collections.abc import Iterator

import pytest

from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import (
    AzureAnswerError,
    ForbiddenError,
    NotFoundError,
    SignInError,
    ThrottledError,
)
from aks_kaito_cli.azure.versions import version_of
from support.fake_azure import Credential, FakeAzure, Reply, error, running

PATH = "/subscriptions/one/providers/Microsoft.Compute/locations/westeurope/usages"


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running() as fake:
        yield fake


def test_a_request_carries_the_version_of_its_provider_and_its_filter(azure: FakeAzure) -> None:
    azure.listed(PATH, {"name": "cores"})
    assert Arm(Credential(), azure.endpoint).pages(PATH, filter="a eq 'b'") == [{"name": "cores"}]
    assert azure.requests[0].query == {"api-version": ["2024-07-01"], "$filter": ["a eq 'b'"]}


def test_all_pages_are_read(azure: FakeAzure) -> None:
    azure.answer(
        PATH,
        {"value": [{"n": 1}, {"n": 2}], "nextLink": f"{azure.endpoint}{PATH}?api-version=2024-07-01&$skiptoken=x"},
        {"value": [{"n": 3}], "nextLink": ""},
    )
    assert Arm(Credential(), azure.endpoint).pages(PATH) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert azure.requests[1].query == {"api-version": ["2024-07-01"], "$skiptoken": ["x"]}


def test_a_page_at_another_host_gets_no_token(azure: FakeAzure) -> None:
    with running() as other:
        other.listed(PATH, 1)
        azure.answer(PATH, {"value": [], "nextLink": f"{other.endpoint}{PATH}"})
        with pytest.raises(AzureAnswerError, match="which gets no token"):
            Arm(Credential(), azure.endpoint).pages(PATH)
        assert other.requests == []


@pytest.mark.parametrize("link", ["/relative", "http://[bad", 7, {"href": "x"}])
def test_a_next_page_without_an_address_is_an_answers_fault(azure: FakeAzure, link: object) -> None:
    azure.answer(PATH, {"value": [], "nextLink": link})
    with pytest.raises(AzureAnswerError, match="which gets no token"):
        Arm(Credential(), azure.endpoint).pages(PATH)


def test_pages_without_an_end_end(azure: FakeAzure) -> None:
    azure.answer(PATH, {"value": [1], "nextLink": f"{azure.endpoint}{PATH}"})
    with pytest.raises(AzureAnswerError, match="more than 200 pages"):
        Arm(Credential(), azure.endpoint).pages(PATH)


def test_a_short_wait_is_obeyed_and_a_long_one_is_reported(azure: FakeAzure) -> None:
    azure.answer(PATH, error(429, "TooManyRequests", Retry_After="1"), {"value": []})
    began = time.monotonic()
    assert Arm(Credential(), azure.endpoint).pages(PATH) == []
    assert 1 <= time.monotonic() - began < 10

    azure.answer(PATH, error(429, "TooManyRequests", Retry_After="600"))
    began = time.monotonic()
    with pytest.raises(ThrottledError, match="wait 600 seconds"):
        Arm(Credential(), azure.endpoint).pages(PATH)
    assert time.monotonic() - began < 10


def test_a_passing_fault_is_survived(azure: FakeAzure) -> None:
    azure.answer(PATH, Reply(503, b"<html>busy</html>"), {"value": [{"n": 1}]})
    assert Arm(Credential(), azure.endpoint).pages(PATH) == [{"n": 1}]


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (error(403, "AuthorizationFailed", "no rights"), ForbiddenError, "HTTP 403 AuthorizationFailed .*: no rights"),
        (error(404, "ResourceNotFound"), NotFoundError, "HTTP 404 ResourceNotFound"),
        (error(400, "InvalidApiVersionParameter"), AzureAnswerError, "HTTP 400 InvalidApiVersionParameter"),
        (Reply(400, b"<html>"), AzureAnswerError, "HTTP 400 for"),
        (Reply(400, ["no", "object"]), AzureAnswerError, "HTTP 400 for"),
        (Reply(200, b"<html>sign in</html>"), AzureAnswerError, "no JSON object"),
        (Reply(200, b"[]"), AzureAnswerError, "no JSON object"),
        (Reply(200, b""), AzureAnswerError, "no JSON object"),
        (Reply(200, {"value": None}), AzureAnswerError, "no list of values"),
    ],
)
def test_each_failure_is_told_apart(azure: FakeAzure, reply: Reply, kind: type[Exception], words: str) -> None:
    azure.answer(PATH, reply)
    with pytest.raises(kind, match=words) as raised:
        Arm(Credential(), azure.endpoint).pages(PATH)
    assert type(raised.value) is kind


def test_a_wrong_token_is_a_missing_sign_in(azure: FakeAzure) -> None:
    with pytest.raises(SignInError, match="InvalidAuthenticationToken"):
        Arm(Credential("another"), azure.endpoint).get(PATH)


def test_an_endpoint_that_is_not_there_is_reported() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(AzureAnswerError, match="Azure does not answer"):
        Arm(Credential(), endpoint).get(PATH)


def test_a_token_is_never_sent_without_encryption() -> None:
    with pytest.raises(ValueError, match=r"http://arm\.kaito\.dev: must begin with https://"):
        Arm(Credential(), "http://arm.kaito.dev")


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/subscriptions/one", "2022-12-01"),
        ("/subscriptions/one/providers", "2022-12-01"),
        ("/subscriptions/one/providers/Microsoft.Compute", "2022-12-01"),
        ("/subscriptions/one/providers/Microsoft.Compute/skus", "2021-07-01"),
        (PATH, "2024-07-01"),
        (
            "/providers/Microsoft.ContainerService/managedClusters/c/providers/Microsoft.Authorization/locks",
            "2022-04-01",
        ),
    ],
)
def test_the_version_follows_the_last_provider(path: str, version: str) -> None:
    assert version_of(path) == version
