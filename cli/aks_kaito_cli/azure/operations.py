"""Operations of Azure that take longer than one request: polling until their end, with a limit.

See: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from azure.core.rest import HttpResponse

from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError

_ACCEPTED = 202
_OPERATION, _LOCATION = "Azure-AsyncOperation", "Location"
_USUAL_SECONDS, _LONGEST_SECONDS = 10.0, 30.0
_DONE = "Succeeded"
_FAILED = ("Failed", "Canceled")


class OperationFailedError(AzureAnswerError):
    """Azure ended an operation without success."""


class StillRunningError(AzureAnswerError):
    """An operation has not ended within the limit; Azure continues it."""


def wait(arm: Arm, answer: HttpResponse, seconds: float, tell: Callable[[float], None]) -> None:
    """Wait until the operation that an answer began has ended; `tell` gets the elapsed seconds before each question.

    Raises:
        OperationFailedError: It failed, or was cancelled.
        StillRunningError: It has not ended in time.
        AzureAnswerError: Azure gives no usable answer about it.
    """
    began = time.monotonic()
    while (place := _place(answer)) is not None:
        header, url = place
        if urlsplit(url)[:2] != urlsplit(arm.endpoint)[:2]:
            raise AzureAnswerError(f"the operation is at {urlsplit(url).netloc}, which gets no token")
        pause = _pause(answer)
        elapsed = time.monotonic() - began
        if elapsed + pause > seconds:
            raise StillRunningError(f"the operation has not ended after {elapsed:.0f} seconds; Azure continues it")
        tell(elapsed)
        time.sleep(pause)
        found = arm.send("GET", url)
        if header == _OPERATION:
            if _succeeded(found):
                return
            # The address may be given once only.
            found.headers.setdefault(header, url)
        elif found.status_code == _ACCEPTED:
            found.headers.setdefault(header, url)
        answer = found


def _place(answer: HttpResponse) -> tuple[str, str] | None:
    """Return the header with the address to ask, and the address; None if the operation has ended."""
    for header in (_OPERATION, _LOCATION):
        url = answer.headers.get(header)
        if url and (header == _OPERATION or answer.status_code == _ACCEPTED):
            return header, url
    return None


def _pause(answer: HttpResponse) -> float:
    try:
        return min(float(answer.headers.get("Retry-After") or _USUAL_SECONDS), _LONGEST_SECONDS)
    except ValueError:
        return _USUAL_SECONDS


def _succeeded(answer: HttpResponse) -> bool:
    """Return whether an operation has ended well.

    Raises:
        OperationFailedError: It has ended otherwise.
        AzureAnswerError: The answer has no status.
    """
    try:
        body = answer.json()
        status = str(body["status"])
    except (ValueError, KeyError, TypeError):
        raise AzureAnswerError("the answer about the operation has no status", answer.status_code) from None
    if status in _FAILED:
        error = body.get("error") or {}
        words = f"{error.get('code', '')}: {error.get('message', '')}".strip(": ")
        raise OperationFailedError(f"Azure reports {status}{f' ({words})' if words else ''}", answer.status_code)
    return status == _DONE
