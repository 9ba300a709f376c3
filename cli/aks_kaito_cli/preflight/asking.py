"""Questions that several checks share, or that one check asks side by side."""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from aks_kaito_cli.azure.errors import AzureAnswerError, ForbiddenError, NotFoundError
from aks_kaito_cli.terminal import threads

Asked = TypeVar("Asked")


class Once(Generic[Asked]):
    """A question that the first of several checks asks, and whose answer or failure all of them get."""

    def __init__(self, ask: Callable[[], Asked]) -> None:
        self._ask = ask
        self._found: list[Asked] = []
        self._failed: AzureAnswerError | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Asked:
        """Return the answer.

        Raises:
            AzureAnswerError: Azure gave no usable answer.
        """
        with self._lock:
            if self._failed is not None:
                raise self._failed
            if not self._found:
                try:
                    self._found.append(self._ask())
                except AzureAnswerError as error:
                    self._failed = error
                    raise
            return self._found[0]


def together(*questions: Callable[[], Any]) -> list[Any]:
    """Ask questions at once, and return their answers in order.

    Raises:
        AzureAnswerError: One of them got no usable answer.
    """
    with threads(len(questions)) as pool:
        return [future.result() for future in [pool.submit(question) for question in questions]]


def if_there(question: Callable[[], Asked]) -> Asked | None:
    """Return the answer about a resource that need not exist, or None if it does not."""
    try:
        return question()
    except NotFoundError:
        return None


def if_allowed(question: Callable[[], Asked]) -> Asked | None:
    """Return the answer, or None where the identity may not ask."""
    try:
        return question()
    except ForbiddenError:
        return None
