import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaito_chat.backends.completions import events_of
from kaito_chat.backends.errors import BackendError
from kaito_chat.backends.interface import Text


@given(st.text(min_size=1), st.booleans(), st.sampled_from(["", " ", "\t\r\n"]))
def test_a_piece_has_its_text_in_any_spelling(text: str, ascii_only: bool, space: str) -> None:  # noqa: FBT001
    piece = json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=ascii_only)
    item = f"{space}{piece}{space}".encode("utf-8", "surrogatepass")
    assert events_of(item) == [Text(text)]


def test_a_byte_order_mark_is_no_error() -> None:
    assert events_of(b'\xef\xbb\xbf{"choices": [{"text": "a"}]}') == [Text("a")]


@pytest.mark.parametrize(
    "item", [b"", b"{", b"{}{}", b'{"a": 1} b', b"\xff", b"[" * 200_000, b"nul", b'{"choices": [{"text": "\x00"}]}']
)
def test_a_piece_that_is_no_json_cuts_the_answer(item: bytes) -> None:
    with pytest.raises(BackendError, match="a piece of the stream is not JSON"):
        events_of(item)


@pytest.mark.parametrize("item", [b"[]", b"1", b'"text"', b"null", b"NaN"])
def test_a_piece_that_is_no_object_cuts_the_answer(item: bytes) -> None:
    with pytest.raises(BackendError, match="a piece of the stream is not an object"):
        events_of(item)
