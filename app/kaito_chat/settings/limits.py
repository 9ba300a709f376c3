"""Settings of timeouts and limits."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=3600)]


class Timeouts(BaseModel):
    """Timeouts, retries and intervals."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    connect_timeout_seconds: Seconds = 5
    """Timeout for connecting to a model's server."""
    first_token_timeout_seconds: Seconds = 120
    """Timeout from the question to the first token."""
    token_timeout_seconds: Seconds = 30
    """Timeout between two tokens."""
    answer_timeout_seconds: Seconds = 600
    """Timeout for a whole answer, including those of the legacy runtime, which does not stream."""
    max_answer_characters: Annotated[int, Field(ge=1000)] = 200_000
    """Maximum length of an answer; the application cuts off the rest."""
    max_retries: Annotated[int, Field(ge=0, le=10)] = 2
    """Retries while the server is busy or unreachable, before the first token only."""
    coalesce_milliseconds: Annotated[int, Field(ge=0, le=100)] = 100
    """Interval in which tokens are collected and sent to the page together."""
    warm_up_poll_seconds: Annotated[float, Field(ge=0.1, le=60)] = 4
    """Interval between two checks of a model that is not ready."""
    disconnect_grace_seconds: Annotated[float, Field(ge=0, le=600)] = 10
    """Time that an answer continues after the connection to the page is lost."""
    session_timeout_seconds: Annotated[int, Field(ge=60)] = 900
    """Time that a disconnected session is kept in memory."""
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 30
    """Time that running answers may continue after SIGTERM."""


class Limits(BaseModel):
    """Limits of each replica."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    max_question_characters: Annotated[int, Field(ge=100, le=1_000_000)] = 400_000
    """Maximum length of a message; a longer one reaches neither the model nor the history."""
    max_answers: Annotated[int, Field(ge=1)] = 400
    """Maximum number of concurrent answers; a further question is refused with the time of the next try."""
    max_answers_per_user: Annotated[int, Field(ge=1)] = 4
    """Maximum number of concurrent answers of one user. Without sign-in, each page counts as a user."""
    max_questions_per_minute: Annotated[int, Field(ge=1)] = 2400
    """Maximum number of questions per minute."""
    max_questions_per_minute_per_user: Annotated[int, Field(ge=1)] = 30
    """Maximum number of questions per minute of one user."""
