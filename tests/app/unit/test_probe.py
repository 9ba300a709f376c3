"""The forms in which the smoke test sends its question."""

import pytest

from kaito_chat import probe
from kaito_chat.backends.errors import BackendError
from support.chat.backends import endpoint, model_settings
from support.chat.fakes.kaito import VLLM, Answer

FIELDS = ["temperature", "top_p", "stream_options", "max_tokens", "max_completion_tokens"]


def refused(field: str) -> Answer:
    return Answer(400, json={"error": {"message": "Unknown field", "param": field, "code": 400}})


async def test_a_model_that_refuses_several_fields_is_asked_without_them() -> None:
    server = VLLM()
    server.refusals = [refused(field) for field in FIELDS]
    assert "vllm" in await probe._ask(endpoint(server), model_settings())  # noqa: SLF001
    assert not set(FIELDS) & set(server.bodies("/v1/chat/completions")[-1])


async def test_a_server_that_refuses_every_form_is_not_asked_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaito_chat.backends.openai.OpenAI.adapt", lambda _self, request, _error: request)
    server = VLLM()
    server.refusals = [refused(field) for field in FIELDS * 20]
    with pytest.raises(BackendError, match="Unknown field"):
        await probe._ask(endpoint(server), model_settings())  # noqa: SLF001
    assert len(server.bodies("/v1/chat/completions")) == probe.MOST_FORMS
