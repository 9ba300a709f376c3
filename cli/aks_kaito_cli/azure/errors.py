"""Errors of Azure's management API, told apart by what a caller does about them."""


class AzureAnswerError(Exception):
    """Azure gave no usable answer, so that a question stays undecided.

    Attributes:
        status: The HTTP status; None if there was no answer.
        code: Azure's code of the error, such as AuthorizationFailed; empty if there is none.
        remedy: The command that settles it; empty if there is none.
    """

    remedy = ""

    def __init__(self, message: str, status: int | None = None, code: str = "") -> None:
        """Describe the failure in one sentence."""
        self.status = status
        self.code = code
        super().__init__(message)


class NotFoundError(AzureAnswerError):
    """The resource does not exist."""


class ForbiddenError(AzureAnswerError):
    """The identity may not ask: neither a yes nor a no."""


class ThrottledError(AzureAnswerError):
    """Azure asks to wait longer than a command should."""


class SignInError(AzureAnswerError):
    """Nobody is signed in, or the sign-in has ended."""

    remedy = "az login"
