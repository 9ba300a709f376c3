import pytest

from kaito_chat.backends import ApiKey, Choice, ServedModel, backend_at, connect, pool
from kaito_chat.backends.detect import detect
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.settings import ModelSettings
from support.chat.backends import QUICK, backend_of, endpoint, model_settings
from support.chat.fakes.kaito import VLLM, Answer, Fake, Legacy06, Transformers


class Signs(Fake):
    """A legacy runtime that answers 404 instead of 405, as behind some proxies."""

    def __init__(self, path: str, answer: Answer) -> None:
        super().__init__()
        self.path = path
        self.answer = answer

    def otherwise(self, method: str, path: str) -> Answer:
        return self.answer if path == self.path else super().otherwise(method, path)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/health", Answer(200, json={"status": "Healthy"})),
        ("/healthz", Answer(200, json={"status": "Healthy"})),
        ("/", Answer(200, json={"message": "Server is running"})),
    ],
)
async def test_the_legacy_runtime_is_known_by_what_it_says_of_itself(path: str, answer: Answer) -> None:
    assert (await backend_of(Signs(path, answer))).name == "legacy"


@pytest.mark.parametrize(
    "answer", [Answer(200), Answer(200, text="<html>Welcome to nginx!</html>"), Answer(500, text="Healthy")]
)
async def test_a_stranger_is_not_the_legacy_runtime(answer: Answer) -> None:
    with pytest.raises(BackendError) as raised:
        await backend_of(Signs("/health", answer))
    assert raised.value.kind is Kind.NOT_READY


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"data": []}, Kind.NOT_READY),
        ({"data": "?"}, Kind.GARBLED),
        ({"data": [1]}, Kind.GARBLED),
        ([], Kind.GARBLED),
        (None, Kind.GARBLED),
    ],
)
async def test_a_list_without_a_model_is_no_model(body: object, kind: Kind) -> None:
    with pytest.raises(BackendError) as raised:
        await backend_of(Signs("/v1/models", Answer(200, json=body)))
    assert raised.value.kind is kind


@pytest.mark.parametrize("window", [None, "8192", 0, -1])
async def test_a_window_that_is_none_is_not_believed(window: object) -> None:
    entry = {"id": "m", "owned_by": "somebody", "max_model_len": window}
    backend = await backend_of(Signs("/v1/models", Answer(200, json={"data": [entry]})))
    assert (backend.name, await backend.describe()) == ("openai", ServedModel("m", None, (Choice("m"),), listed=True))


async def test_a_named_backend_is_not_looked_for() -> None:
    for name in ("openai", "legacy"):
        fake = VLLM()
        assert (await backend_of(fake, backend=name)).name == name
        assert not fake.asked


async def test_a_named_model_is_taken_from_among_several() -> None:
    entries = [{"id": "base", "max_model_len": 1}, {"id": "adapter", "max_model_len": 4096}]
    fake = Signs("/v1/models", Answer(200, json={"data": entries}))
    served = await (await detect(endpoint(fake), model_settings(model="adapter"))).describe()
    assert (served.id, served.max_model_len_tokens, served.listed) == ("adapter", 4096, True)


async def test_a_server_without_a_list_of_models_serves_the_named_one() -> None:
    assert await (await backend_of(Fake(), backend="openai", model="m")).describe() == ServedModel("m")
    with pytest.raises(BackendError):
        await (await backend_of(Fake(), backend="openai")).describe()


async def test_an_upgrade_of_the_runtime_is_noticed() -> None:
    legacy = await backend_of(Legacy06())
    assert await legacy.describe() == ServedModel("")
    upgraded = await backend_of(Transformers(), backend="legacy")
    upgraded_again = await backend_of(VLLM(), backend="legacy")
    assert await upgraded.describe() == ServedModel("")  # its /health says the same: a question tells them apart
    with pytest.raises(BackendError):
        await upgraded_again.describe()


async def test_a_key_may_end_with_a_newline_and_is_in_no_error() -> None:
    asked: list[str] = []

    def server(request: object) -> Answer:
        asked.append(request.headers["authorization"])  # type: ignore[attr-defined]
        return VLLM().get_v1_models(None)

    client = endpoint(server)._client  # noqa: SLF001
    model = model_settings()
    await backend_at(connect(model, client, QUICK, api_key=ApiKey("k3y\n")), model)
    assert asked == ["Bearer k3y"]
    async with pool(1, 1) as client:
        nowhere = ModelSettings(endpoint_url="http://127.0.0.1:1")
        with pytest.raises(BackendError) as raised:
            await backend_at(connect(nowhere, client, QUICK, api_key=ApiKey("k3\ny")), nowhere)
    assert "k3" not in str(raised.value)
