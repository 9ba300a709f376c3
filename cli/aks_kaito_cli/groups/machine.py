"""The subcommand that checks this machine: `doctor`."""

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from aks_kaito_cli.doctor import checks
from aks_kaito_cli.doctor.checks import Finding
from aks_kaito_cli.doctor.needs import COMMANDS
from aks_kaito_cli.terminal import Terminal

Checked = StrEnum("Checked", list(COMMANDS))  # type: ignore[misc]  # mypy wants literal names
_STYLES = {"ok": "green", "missing": "bold red", "optional": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the subcommand to the application."""
    app.command(epilog="Example: aks-kaito doctor deploy")(doctor)


def doctor(
    command: Annotated[
        Checked | None,
        typer.Argument(metavar="COMMAND", help=f"One of {', '.join(COMMANDS)}; all of them if it is left out."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that this machine has what each command needs.

    Check programs and their versions, ports, disk, proxy and certificates, and name the package of what is missing.

    Needs no network and changes nothing. Exit status: 0; 1 if a command lacks something.
    """
    found = checks.findings((command.value,) if command else tuple(COMMANDS))
    lacking = checks.missing(found)
    if as_json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        Terminal().print(_table(found))
        for finding in lacking:
            print(f"{finding.need}: {finding.detail}. {finding.remedy}")
        stopped = sorted({name for finding in lacking for name in finding.commands}, key=list(COMMANDS).index)
        print(f"These commands lack something: {', '.join(stopped)}." if lacking else "Nothing is missing.")
        print(f"Next: {lacking[0].remedy}" if lacking else "Next: make synth ENV=dev")
    raise typer.Exit(1 if lacking else 0)


def _table(found: list[Finding]) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("Need", "State", "Found", "For"):
        table.add_column(heading, overflow="fold")
    for finding in found:
        commands = "every command" if len(finding.commands) == len(COMMANDS) else ", ".join(finding.commands)
        state = f"[{_STYLES[finding.state]}]{finding.state}[/]"
        table.add_row(escape(finding.need), state, escape(finding.detail), commands)
    return table
