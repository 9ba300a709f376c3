"""The command: one look, or looks until all models answer or one cannot."""

import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import chain

from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from aks_kaito.settings import Environment
from aks_kaito_cli.answers import Answer, side_by_side
from aks_kaito_cli.azure import access
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.status import address, chat, models, report, tunings
from aks_kaito_cli.status.day_two import DayTwo
from aks_kaito_cli.status.look import Look, look, of_cluster
from aks_kaito_cli.status.reach import Reader, reader
from aks_kaito_cli.terminal import plain, progress_console

# A run in the cluster takes ten seconds by itself.
_PAUSE_SECONDS = {"direct": 10.0, "run command": 20.0, "none": 20.0}

# A wait ends after so many looks in a row without the cluster, which may have been away for a moment.
_UNREAD_LOOKS = 3


class Status:
    """One environment, and the access to it.

    Attributes:
        seen: The last look.
    """

    def __init__(self, environment: Environment, arm: Arm, subscription: str, source: Reader) -> None:
        """Remember the environment and the access."""
        self._environment = environment
        self._arm = arm
        names = environment.names
        self._group = f"/subscriptions/{subscription}/resourceGroups/{names.resource_group}"
        self._cluster = f"{self._group}/providers/Microsoft.ContainerService/managedClusters/{names.cluster}"
        self._source = source

    def look(self) -> Look:
        """Look once."""
        return look(self._environment, self._arm, self._cluster, self._source, datetime.now(UTC))

    def answer(self, seen: Look, resolve: address.Resolve = address.resolved) -> Answer:
        """Return the answer of a look, with the findings of day two."""
        words = models.words_of(self._environment)
        found = list(chain(of_cluster(seen, self._environment, words), models.findings(seen, self._environment)))
        if seen.cluster.path != "none":
            found += tunings.findings(seen.cluster, self._environment)
            found += chat.findings(seen.cluster, self._environment)
            found += address.findings(seen.cluster, self._environment, words, seen.now, resolve)
        if seen.azure.found:
            checks = DayTwo(self._environment, self._arm, self._group, seen.azure, seen.now).checks()
            found += side_by_side(checks, (AzureAnswerError,))
        return report.answer(seen, found, self._environment)


def run(
    environment: Environment,
    variables: Mapping[str, str],
    *,
    seconds: float | None,
    shown: Callable[[Answer, Look], None],
) -> int:
    """Look, and show the answer; for at most `seconds`, look again until the models are settled.

    Raises:
        AzureAnswerError: The subscription is unknown.
        ValueError: The endpoint of Azure is refused.
    """
    arm = access.arm(variables)
    subscription = access.subscription(arm, environment, variables)
    with reader(environment, variables, subscription) as source:
        status = Status(environment, arm, subscription, source)
        with progress_console().status("Reading Azure and the cluster"):
            seen = status.look()
        if seconds is not None:
            seen = _watched(status, seen, seconds)
        found = status.answer(seen)
    shown(found, seen)
    return found.exit_status


def _watched(status: Status, seen: Look, seconds: float) -> Look:
    """Look again until the models are settled or the time is over; show progress on standard error."""
    end = time.monotonic() + seconds
    console = progress_console()
    written: dict[str, str] = {}
    unread = 0
    with Live(_view(seen), console=console, transient=True) as live:
        while True:
            if console.quiet:
                _write_changes(seen, written)
            live.update(_view(seen))
            left = end - time.monotonic()
            unread = unread + 1 if seen.cluster.path == "none" and seen.azure.runs else 0
            if (seen.settled and not 0 < unread < _UNREAD_LOOKS) or left <= 0:
                return seen
            time.sleep(min(left, _PAUSE_SECONDS[seen.cluster.path]))
            seen = status.look()


def _view(seen: Look) -> RenderableType:
    lines = [Text(plain(f"{each.replica.name} {models.in_progress(each)}")) for each in seen.models if each.step]
    table = report.stages(seen.models)
    return Group(*([table] if table else []), *lines, Spinner("dots", "Ctrl-C ends the wait; nothing is changed."))


def _write_changes(seen: Look, written: dict[str, str]) -> None:
    """Write the lines that differ from those written before, with the time."""
    for each in report.progress(seen):
        name = each.partition(": ")[0]
        if written.get(name) != each:
            sys.stderr.write(f"{seen.now:%H:%M:%S} {each}\n")
            sys.stderr.flush()
            written[name] = each
