"""Answers of subcommands that look at Azure or a cluster: findings, a sentence, a next command, an exit status."""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from rich import box
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from aks_kaito_cli.terminal import Terminal, progress_console, say, threads

State = Literal["ok", "info", "warning", "blocker", "unknown"]
FINE, BLOCKED, UNUSABLE, UNDECIDED = 0, 1, 2, 3
_STYLES: dict[State, str] = {
    "ok": "green",
    "info": "cyan",
    "warning": "yellow",
    "blocker": "bold red",
    "unknown": "magenta",
}
_AT_ONCE = 24


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        group: The heading in the table, such as Capacity.
        subject: The checked thing, such as vCPUs of NCADS_A100_v4.
        state: `blocker` stops a deployment; `unknown` could not be decided and is never a pass.
        detail: The observation, in one sentence with its figures.
        remedy: A command or a setting; empty if nothing is to be done.
    """

    group: str
    subject: str
    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Answer:
    """Everything that a subcommand says.

    Attributes:
        sentence: The answer in one sentence.
        next_command: The one command to run next; empty inside another command.
        exit_status: 0 fine, 1 a blocker, 2 unusable, 3 could not be decided.
        more: Further data for --json, such as tables of the subcommand.
    """

    findings: Sequence[Finding]
    sentence: str
    next_command: str
    exit_status: int
    more: dict[str, Any]

    def as_json(self) -> str:
        """Return the answer as JSON."""
        findings = [asdict(each) for each in self.findings]
        named = {"answer": self.sentence, "next": self.next_command, "exit_status": self.exit_status}
        return json.dumps({**named, "findings": findings, **self.more}, indent=2)


class Check(NamedTuple):
    """A check that runs beside others.

    Attributes:
        group: The heading of its findings.
        subject: The checked thing, for a finding where the check itself fails.
        run: Return the findings.
    """

    group: str
    subject: str
    run: Callable[[], Iterable[Finding]]


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 1 if there is a blocker, otherwise 3 if something could not be decided, otherwise 0."""
    states = {each.state for each in findings}
    return BLOCKED if "blocker" in states else UNDECIDED if "unknown" in states else FINE


def side_by_side(checks: Sequence[Check], undecided: tuple[type[Exception], ...]) -> list[Finding]:
    """Run checks at once, and return their findings in the checks' order; on a terminal, show the progress.

    An exception of `undecided`, or an answer of another form than expected, makes a finding `unknown`, with the
    exception's `remedy` if it has one.
    """
    expected: tuple[type[Exception], ...] = (*undecided, KeyError, TypeError, ValueError, AttributeError, IndexError)

    def found(check: Check) -> list[Finding]:
        try:
            return list(check.run())
        except undecided as error:
            return [Finding(check.group, check.subject, "unknown", str(error), getattr(error, "remedy", ""))]
        except expected as error:
            text = f"the answer has another form than expected ({type(error).__name__}: {error})"
            return [Finding(check.group, check.subject, "unknown", text)]

    columns = (SpinnerColumn(), TextColumn("{task.completed} of {task.total} checks"))
    with (
        Progress(*columns, console=progress_console(), transient=True) as progress,
        threads(_AT_ONCE) as pool,
    ):
        task = progress.add_task("", total=len(checks))
        futures = [pool.submit(found, check) for check in checks]
        for _ in as_completed(futures):
            progress.advance(task)
    return [finding for future in futures for finding in future.result()]


def show(answer: Answer, *, as_json: bool, tables: Sequence[Table] = (), all_states: bool = True) -> None:
    """Print an answer: JSON, or tables, the remedies, the sentence and the next command.

    `all_states` shows the findings that need nothing, too.
    """
    if as_json:
        print(answer.as_json())
        return
    console = Terminal()
    shown = [each for each in answer.findings if all_states or each.state not in {"ok", "info"}]
    for table in (*((findings_table(shown),) if shown else ()), *tables):
        console.print(table)
    for finding in answer.findings:
        if finding.remedy and finding.state in {"blocker", "unknown", "warning"}:
            console.print(f"{finding.state}: {finding.subject}: {finding.remedy}", markup=False, soft_wrap=True)
    console.print(answer.sentence, markup=False, soft_wrap=True)
    if answer.next_command:
        console.print(f"Next: {answer.next_command}", markup=False, soft_wrap=True)


def show_failure(reason: str, following: str = "", *, exit_status: int, as_json: bool) -> int:
    """Write why there is no answer: with --json as JSON, otherwise to standard error. Return the exit status."""
    if as_json:
        print(Answer((), reason, following, exit_status, {}).as_json())
    else:
        say(f"{reason}\nNext: {following}" if following else reason)
    return exit_status


def findings_table(findings: Sequence[Finding]) -> Table:
    """Return a table whose groups are named once."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("", "Check", "State", "Found"):
        table.add_column(heading, overflow="fold")
    group = ""
    for each in findings:
        state = f"[{_STYLES[each.state]}]{each.state}[/]"
        table.add_row(each.group if each.group != group else "", escape(each.subject), state, escape(each.detail))
        group = each.group
    return table
