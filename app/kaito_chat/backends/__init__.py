"""Model servers behind one small interface.

Names: an `Endpoint` is the HTTP address of a model server; a `Backend` is the protocol that it speaks; a `ServedModel`
is a model as its server describes it; a `models.readiness.Model` is a model of the settings, with its readiness. A
`Message` is one message that the model sees; a `chat.turn.Turn` is one question of a user and its answer.

- `interface`: the protocol that each backend implements; `errors`: the one exception that they raise.
- `connect`: the endpoint and the backend of a model's settings; `detect`: the backend, by what the server answers.
- `openai`, `azure_openai`, `legacy`, `rag`: the backends.
- `http`: requests; `sse`: server-sent events; `responses`, `error_responses`, `context_length`: bodies of responses.
- `completions`, `choices`, `thinking`: from JSON to events and models; `prompt`: other forms of a conversation.
"""

from kaito_chat.backends.connect import ApiKey, backend_at, connect
from kaito_chat.backends.http import Endpoint, Timeouts, pool
from kaito_chat.backends.interface import (
    Backend,
    Capabilities,
    Choice,
    Event,
    Finish,
    Message,
    Piece,
    Quirks,
    Reasoning,
    Reclassify,
    Request,
    Sampling,
    ServedModel,
    Text,
    Usage,
)

__all__ = [
    "ApiKey",
    "Backend",
    "Capabilities",
    "Choice",
    "Endpoint",
    "Event",
    "Finish",
    "Message",
    "Piece",
    "Quirks",
    "Reasoning",
    "Reclassify",
    "Request",
    "Sampling",
    "ServedModel",
    "Text",
    "Timeouts",
    "Usage",
    "backend_at",
    "connect",
    "pool",
]
