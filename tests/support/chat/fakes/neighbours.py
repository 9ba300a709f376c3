"""Fakes of model servers other than KAITO's, and of models with requirements, after recorded responses."""

from typing import Any

import httpx

from support.chat.fakes.kaito import HEALTHY, VLLM, WORDS, Answer, Fake, Transformers, broken, delta, finish, sse

NO_TEMPLATE = (
    "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the "
    "tokenizer does not define one."
)


def has_system(body: dict[str, Any]) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


def too_large(window: int, prompt: int, wanted: int) -> str:
    """The error message of vLLM 0.10."""
    return (
        f"'max_tokens' or 'max_completion_tokens' is too large: {wanted}. This model's maximum context length is "
        f"{window} tokens and your request has {prompt} input tokens ({wanted} > {window} - {prompt})."
    )


def requested(window: int, prompt: int, wanted: int) -> str:
    """The error message of vLLM to 0.9, and of OpenAI."""
    return (
        f"This model's maximum context length is {window} tokens. However, you requested {prompt + wanted} tokens "
        f"({prompt} in the messages, {wanted} in the completion). "
        "Please reduce the length of the messages or completion."
    )


def at_least(window: int, prompt: int, wanted: int) -> str:
    """The error message of vLLM from 0.15 on, which stops counting where the context window ends."""
    del prompt
    seen = window - wanted + 1
    return (
        f"This model's maximum context length is {window} tokens. However, you requested {wanted} output tokens and "
        f"your prompt contains at least {seen} input tokens, for a total of at least {window + 1} tokens. "
        "Please reduce the length of the input prompt or the number of requested output tokens."
    )


def sglang(window: int, prompt: int, wanted: int) -> str:
    """The error message of SGLang."""
    return (
        f"Requested token count exceeds the model's maximum context length of {window} tokens. You requested a total "
        f"of {prompt + wanted} tokens: {prompt} tokens from the input messages and {wanted} tokens for the completion. "
        "Please reduce the number of tokens in the input messages or the completion to fit within the limit."
    )


def tensorrt(window: int, prompt: int, wanted: int) -> str:
    """The error message of TensorRT-LLM."""
    return (
        f"The sum of prompt length ({prompt}.0) and query length (0) max_tokens ({wanted}) should not exceed "
        f"max_seq_len ({window})"
    )


def greater(window: int, prompt: int, wanted: int) -> str:
    """The error message of vLLM for more than the whole context window."""
    del prompt
    return f"max_tokens={wanted} cannot be greater than max_model_len={window}. Please request fewer output tokens."


class GemmaOnVLLM(VLLM):
    """A chat template without a system role, on vLLM."""

    refused = "System role not supported"

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        if has_system(body):
            return self.error(400, self.refused, "BadRequestError")
        return super().post_v1_chat_completions(body)


class MistralOnVLLM(GemmaOnVLLM):
    """The first chat templates of Mistral 7B, which count a system message as a turn."""

    refused = "Conversation roles must alternate user/assistant/user/assistant/..."


class GemmaWithReason(Transformers):
    """The same on a server that answers 500, with the template's words."""

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        if has_system(body):
            return Answer(500, json={"error": {"code": 500, "message": "System role not supported at row 1"}})
        return super().post_v1_chat_completions(body)


class GemmaOnTransformers(Transformers):
    """The same on KAITO's transformers runtime, which answers 500 to an error of a template."""

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        return broken() if has_system(body) else super().post_v1_chat_completions(body)


class BaseOnVLLM(VLLM):
    """A base model, on vLLM."""

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        del body
        return self.error(400, NO_TEMPLATE, "BadRequestError")

    def post_v1_completions(self, body: dict[str, Any]) -> Answer:
        assert "messages" not in body
        pieces = [{"choices": [{"index": 0, "text": word}]} for word in [" Hello", *WORDS[1:]]]
        return sse(*pieces, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})


class BaseAlone(BaseOnVLLM):
    """A base model behind a gateway that has only the chat routes."""

    post_v1_completions = None  # type: ignore[assignment]


class Small(VLLM):
    """A server that reports its context window only in a refusal for length."""

    def __init__(self, words: Any, window_tokens: int = 2048, prompt_tokens: int = 1504) -> None:
        super().__init__()
        self.words = words
        self.small_window = window_tokens
        self.prompt_tokens = prompt_tokens

    def get_v1_models(self, _: Any) -> Answer:
        return Answer(200, json={"object": "list", "data": [{"id": self.model, "owned_by": "somebody"}]})

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        if self.prompt_tokens + body["max_tokens"] > self.small_window:
            return self.error(
                400, self.words(self.small_window, self.prompt_tokens, body["max_tokens"]), "BadRequestError"
            )
        return super().post_v1_chat_completions(body)


class TGI(Small):
    """Hugging Face's text-generation-inference: errors with names, also within a stream."""

    def __init__(self, *, streamed: bool = False, window_tokens: int = 4096, prompt_tokens: int = 3500) -> None:
        super().__init__(None, window_tokens, prompt_tokens)
        self.streamed = streamed

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        wanted = body["max_tokens"]
        if self.prompt_tokens + wanted <= self.small_window:
            return sse(*(delta(content=word) for word in WORDS), finish())
        words = (
            f"Input validation error: `inputs` tokens + `max_new_tokens` must be <= {self.small_window}. Given: "
            f"{self.prompt_tokens} `inputs` tokens and {wanted} `max_new_tokens`"
        )
        error = {"error": words, "error_type": "validation"}
        return sse(error, done=False) if self.streamed else Answer(422, json=error)


class LlamaCpp(Small):
    """llama.cpp's server: the numbers are fields of the error, and a stream has `error:` lines."""

    def __init__(self, *, streamed: bool = False, window_tokens: int = 2048, prompt_tokens: int = 2500) -> None:
        super().__init__(None, window_tokens, prompt_tokens)
        self.streamed = streamed

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        if len(body["messages"]) == 1:
            return sse(*(delta(content=word) for word in WORDS), finish())
        error = {
            "code": 400,
            "message": f"request ({self.prompt_tokens} tokens) exceeds the available context size "
            f"({self.small_window} tokens), try increasing it",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": self.prompt_tokens,
            "n_ctx": self.small_window,
        }
        if not self.streamed:
            return Answer(400, json={"error": error})
        text = f"error: {httpx.Response(200, json=error).text}\n\n"
        return Answer(200, text=text, headers={"content-type": "text/event-stream"})


class Adapters(VLLM):
    """vLLM with LoRA adapters, which list no context window, and with a model for embeddings."""

    def get_v1_models(self, _: Any) -> Answer:
        def entry(name: str, window: int | None, parent: str | None = None) -> dict[str, Any]:
            return {"id": name, "owned_by": "vllm", "root": "/weights", "parent": parent, "max_model_len": window}

        entries = [
            entry("tuned", None, "base"),
            entry("base", 2048),
            entry("bge-m3", 512),
            entry("terse", None, "base"),
        ]
        return Answer(200, json={"object": "list", "data": entries})

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        self.model = body["model"]
        return super().post_v1_chat_completions(body)


class Unlisted(Fake):
    """`transformers serve`, which answers for any model that it can load, and lists none."""

    def __init__(self, listing: Answer) -> None:
        super().__init__()
        self.listing = listing

    def get_v1_models(self, _: Any) -> Answer:
        return self.listing

    def otherwise(self, method: str, path: str) -> Answer:
        if path == "/v1/chat/completions" and method == "GET":
            return Answer(405, json={"detail": "Method Not Allowed"})
        return super().otherwise(method, path)

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        assert body["model"] == "Qwen/Qwen3-8B"
        return sse(*(delta(content=word) for word in WORDS), finish())


class RAG(Fake):
    """KAITO's RAGEngine: "Healthy" and without a list of models, like the legacy runtime; an index does not stream."""

    def __init__(self, indexes: tuple[str, ...] = ("handbook",)) -> None:
        super().__init__()
        self.indexes = indexes

    def get_health(self, _: Any) -> Answer:
        return Answer(200, json=HEALTHY | {"detail": None})

    def get_indexes(self, _: Any) -> Answer:
        return Answer(200, json=list(self.indexes))

    def get_metrics(self, _: Any) -> Answer:
        return Answer(200, text="# TYPE rag_chat_requests_total counter\n")

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        index = body.get("index_name")
        if index and index not in self.indexes:
            return Answer(404, json={"detail": f"No such index: '{index}' exists."})
        if index and body.get("stream") is True:
            words = "stream=true is only supported for passthrough chat completions."
            return Answer(400, json={"detail": words})
        message = {"role": "assistant", "content": "It stands in the handbook."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 56, "completion_tokens": 31}
        nodes = [{"doc_id": "1", "text": "…", "score": 0.9}]
        return Answer(200, json={"choices": [choice], "usage": usage, "source_nodes": nodes})


class Whole(VLLM):
    """A server that does not stream, and answers with one document."""

    def __init__(self, message: dict[str, Any], reason: str | None = "stop") -> None:
        super().__init__()
        self.message = message
        self.reason = reason

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        del body
        usage = {"prompt_tokens": 12, "completion_tokens": 4}
        return Answer(200, json={"choices": [{"message": self.message, "finish_reason": self.reason}], "usage": usage})


class LoginPage(Fake):
    """A proxy that redirects to a login page."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def otherwise(self, method: str, path: str) -> Answer:
        del method, path
        return self.answer
