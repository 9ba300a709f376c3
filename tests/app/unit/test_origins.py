"""Origins of pages that may call the server."""

import pytest

from kaito_chat.chat.ids import is_message_id, is_uuid, thread_of
from kaito_chat.history.characters import plain
from kaito_chat.page.origins import is_own
from kaito_chat.page.routes import body_limit, is_plain


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("https://chat.example.com", "chat.example.com", True),
        ("https://chat.example.com", "chat.example.com:443", True),
        ("https://chat.example.com:443", "CHAT.example.com", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("https://chat.example.com", "chat.example.com:80", False),
        ("https://chat.example.com", "chat.example.com:8443", False),
        ("https://chat.example.com.", "chat.example.com", True),
        ("https://evil.example", "chat.example.com", False),
        ("https://chat.example.com.evil.example", "chat.example.com", False),
        ("https://user@chat.example.com", "chat.example.com", False),
        ("https://chat.example.com/", "chat.example.com", False),
        ("https://chat.example.com?x", "chat.example.com", False),
        ("null", "chat.example.com", False),
        ("", "", False),
        ("https://", "", False),
        ("http://", "http://", False),
        ("https://chat.example.com:x", "chat.example.com", False),
        ("https://chat.example.com:99999", "chat.example.com", False),
        ("https://[", "[", False),
        ("ws://chat.example.com", "chat.example.com", False),
    ],
)
def test_without_a_public_origin_the_requests_host_counts(origin: str, host: str, *, own: bool) -> None:
    assert is_own(origin, host, None) is own


@pytest.mark.parametrize("host", ["chat.example.com", "evil.example", "10.0.0.1:8000", ""])
def test_with_a_public_origin_the_requests_host_does_not_count(host: str) -> None:
    assert is_own("https://chat.example.com", host, "https://chat.example.com")
    assert not is_own(f"https://{host or 'x'}:1", host, "https://chat.example.com")
    assert not is_own("http://chat.example.com", host, "https://chat.example.com")


@pytest.mark.parametrize("path", ["/", "/thread/x", "/public/ü.svg", "/a b"])
def test_a_well_formed_path_is_accepted(path: str) -> None:
    assert is_plain(path)


@pytest.mark.parametrize("path", ["/\0", "/a\nb", "/\x7f", "/a\\b", "/\ufffd", "/" + "x" * 201, "/" + "x/" * 501])
def test_a_malformed_path_is_rejected(path: str) -> None:
    assert not is_plain(path)


def test_a_route_has_its_methods_and_its_largest_body() -> None:
    assert body_limit("GET", "/") == 0
    assert body_limit("POST", "/login") == 16 * 1024
    assert body_limit("PUT", "/login") is None
    assert body_limit("GET", "/project/thread/../x") is None
    assert body_limit("GET", "/docs") is None


def test_ids_have_one_form() -> None:
    one = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert is_uuid(one)
    assert is_message_id(one)
    assert not is_message_id("0f8fad5b-d9cb-169f-a165-70867728950e")
    for other in (one.upper(), one + "\n", f"{{{one}}}", one.replace("-", ""), "", None, 7, [one], b"x"):
        assert not is_uuid(other)
        assert not is_message_id(other)
    assert is_uuid(thread_of(one))
    assert thread_of(one) == thread_of(one) != one


def test_a_plain_text_can_be_kept_anywhere() -> None:
    assert plain("a\0b\ud800c 模型 \U0001f600") == "ab\ufffdc 模型 \U0001f600"
