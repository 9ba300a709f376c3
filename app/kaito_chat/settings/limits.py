"""Settings of time-outs and limits."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=3600)]


class Patience(BaseModel):
    """How long something may take."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    connect_timeout_seconds: Seconds = Field(default=5, description="For connecting to a model's server.")
    first_token_timeout_seconds: Seconds = Field(default=120, description="From the question to the first token.")
    token_timeout_seconds: Seconds = Field(default=30, description="Between two tokens.")
    answer_timeout_seconds: Seconds = Field(
        default=600, description="For a whole answer; also what the legacy runtime gets, which does not stream."
    )
    max_answer_characters: Annotated[int, Field(ge=1000)] = Field(
        default=200_000, description="An answer longer than this is cut off, whatever the model's server does."
    )
    max_retries: Annotated[int, Field(ge=0, le=10)] = Field(
        default=2, description="Further attempts while the server is busy or unreachable, before the first token only."
    )
    coalesce_milliseconds: Annotated[int, Field(ge=0, le=100)] = Field(
        default=100, description="Tokens that arrive within this time reach the page together."
    )
    warm_up_poll_seconds: Annotated[float, Field(ge=0.1, le=60)] = Field(
        default=4, description="How often a model that is not ready is asked again."
    )
    disconnect_grace_seconds: Annotated[float, Field(ge=0, le=600)] = Field(
        default=10, description="How long an answer goes on after the connection to the page is lost."
    )
    session_timeout_seconds: Annotated[int, Field(ge=60)] = Field(
        default=900, description="How long a disconnected session is kept in memory."
    )
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=30, description="How long running answers may go on after SIGTERM."
    )


class Most(BaseModel):
    """How much there may be, in each replica."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    max_question_characters: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        default=400_000, description="A longer message is refused before it reaches the model or the history."
    )
    max_answers: Annotated[int, Field(ge=1)] = Field(
        default=400, description="Answers that run at the same time; a further question is told when to try again."
    )
    max_answers_per_user: Annotated[int, Field(ge=1)] = Field(
        default=4, description="Answers of one user that run at the same time. Without sign-in, one page is one user."
    )
    max_questions_per_minute: Annotated[int, Field(ge=1)] = Field(
        default=2400, description="Questions that are accepted in a minute."
    )
    max_questions_per_minute_per_user: Annotated[int, Field(ge=1)] = Field(
        default=30, description="Questions of one user that are accepted in a minute."
    )
