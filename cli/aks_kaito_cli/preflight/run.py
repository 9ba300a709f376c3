"""All checks before a deployment, and their answer."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from aks_kaito.charts.names import IMAGE_TAG
from aks_kaito.settings import Environment
from aks_kaito_cli.answers import BLOCKED, UNDECIDED, UNUSABLE, Answer, Check, Finding, exit_status, side_by_side
from aks_kaito_cli.azure import access
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.preflight import (
    capacity,
    dns,
    hugging_face,
    names,
    offline,
    permissions,
    policies,
    registrations,
    services,
    subscription,
    tools,
)
from aks_kaito_cli.preflight.asking import together
from aks_kaito_cli.preflight.context import Context

# One line for each module: of the file alone, and of Azure. The findings appear in this order.
OFFLINE: Sequence[Callable[[Environment], list[Finding]]] = (offline.findings,)
ONLINE: Sequence[Callable[[Context], list[Check]]] = (
    subscription.checks,
    permissions.checks,
    policies.checks,
    registrations.checks,
    capacity.checks,
    names.checks,
    dns.checks,
    services.checks,
    hugging_face.checks,
    tools.checks,
)
_WORDS = {"blocker": "blocker", "unknown": "undecided check", "warning": "warning"}


class UnusableError(Exception):
    """Azure cannot be asked at all: nobody is signed in, or no subscription is chosen."""


def answer(environment: Environment, variables: Mapping[str, str] = os.environ, *, offline: bool = False) -> Answer:
    """Check an environment: its file, and without `offline` the subscription, too.

    Raises:
        UnusableError: Azure cannot be asked.
    """
    found = [finding for findings in OFFLINE for finding in findings(environment)]
    if not offline:
        context = _context(environment, variables)
        checks = [check for module in ONLINE for check in module(context)]
        found += side_by_side(checks, (AzureAnswerError,))
    return _answer(environment, found, offline=offline)


def unusable(reason: str, next_command: str) -> Answer:
    """Return the answer where nothing could be checked."""
    return Answer((), reason, next_command, UNUSABLE, {})


def _context(environment: Environment, variables: Mapping[str, str]) -> Context:
    """Return the access of all checks, signed in.

    Raises:
        UnusableError: Nobody is signed in, or no subscription is chosen.
    """
    try:
        arm = access.arm(variables)
        # Each is a process, if az signs in.
        _, chosen = together(arm.token, partial(access.subscription, arm, environment, variables))
        return Context(environment, variables, arm, chosen)
    except (AzureAnswerError, ValueError) as error:
        raise UnusableError(str(error)) from None


def _answer(environment: Environment, found: list[Finding], *, offline: bool) -> Answer:
    status = exit_status(found)
    name = environment.name
    again = _remedy(found) or f"make preflight ENV={name}"
    if status == BLOCKED:
        sentence, following = f"{_counted(found)}: a deployment of {name} would fail.", again
    elif status == UNDECIDED:
        sentence, following = f"{_counted(found)}: a deployment of {name} may fail.", again
    elif offline:
        sentence, following = f"{_counted(found)} in the file of {name}. Azure was not asked.", again
    else:
        sentence = f"{_counted(found)}: nothing that was checked stops a deployment of {name}."
        following = f"make deploy ENV={name} TAG={IMAGE_TAG}"
    return Answer(found, sentence, following, status, {"environment": name})


def _remedy(found: list[Finding]) -> str:
    """Return the first command that settles a blocker, or else an undecided check; empty without one."""
    remedies = (each.remedy for state in ("blocker", "unknown") for each in found if each.state == state)
    return next((remedy for remedy in remedies if remedy.startswith(("az ", "make "))), "")


def _counted(found: list[Finding]) -> str:
    """Return the numbers of blockers, undecided checks and warnings, such as: 1 blocker, 2 warnings."""
    numbers = Counter(each.state for each in found)
    parts = [
        f"{numbers[state]} {word}{'s' if numbers[state] > 1 else ''}"  # type: ignore[index]  # the words' keys are states
        for state, word in _WORDS.items()
        if numbers[state]  # type: ignore[index]
    ]
    return ", ".join(parts) or "No problem"
