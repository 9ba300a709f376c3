"""The printed answer of an import: a list of variables for each heading, which fits into a narrow terminal."""

from collections.abc import Iterable
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aks_kaito_cli.answers import Answer, Finding

_STYLES = {"blocker": "bold red", "warning": "yellow"}


def show(answer: Answer, console: Console) -> None:
    """Print the findings by heading, the sentence and the next command."""
    for heading, findings in groupby(answer.findings, lambda finding: finding.group):
        console.print(f"[bold]{escape(heading)}[/]", soft_wrap=True)
        console.print(_table(findings))
        console.print()
    console.print(answer.sentence, markup=False, soft_wrap=True)
    console.print(f"Next: {answer.next_command}", markup=False, soft_wrap=True)


def _table(findings: Iterable[Finding]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(max_width=42, overflow="fold")
    table.add_column(overflow="fold")
    for each in findings:
        style = _STYLES.get(each.state)
        subject = escape(each.subject)
        table.add_row(f"[{style}]{subject}[/]" if style else subject, escape(each.detail))
    return table
