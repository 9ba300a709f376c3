"""Summaries as tables on a terminal, and as plain lines elsewhere."""

from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aks_kaito.review import kinds
from aks_kaito.review.summary import Gpu, Stack, Summary

_STYLES = {"public": "bold red", "restricted": "yellow", "private": "green", "Warning": "bold yellow"}
_PLAIN_WIDTH = 120


def show(summaries: Sequence[Summary], console: Console | None = None) -> None:
    """Print a table for each summary to the console, by default standard output."""
    console = console or Console(highlight=False)
    for summary in summaries:
        if console.is_terminal:
            console.print(_table(summary, is_plain=False))
            console.print(_after(summary), soft_wrap=True)
        else:
            console.file.write(f"{text(summary)}\n")


def text(summary: Summary) -> str:
    """Return the table as lines of plain text."""
    written = StringIO()
    Console(file=written, highlight=False, width=_PLAIN_WIDTH).print(_table(summary, is_plain=True))
    lines = "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())
    return f"{lines}{_after(summary)}"


def _after(summary: Summary) -> str:
    """Return the lines below the table. They are outside it because wrapped paths and commands cannot be copied."""
    lines = [*(f"Written: {stack.path}" for stack in summary.stacks), f"Next:    {summary.next_command}"]
    return "".join(f"{line}\n" for line in lines)


def _table(summary: Summary, *, is_plain: bool) -> Table:
    table = Table(
        title=Text(f"{summary.environment} in {summary.location}", style="bold"),
        title_justify="left",
        box=None if is_plain else box.ROUNDED,
        show_header=False,
        pad_edge=not is_plain,
        padding=(0, 2, 0, 0) if is_plain else (0, 1),
    )
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for section, rows in groupby(_rows(summary), key=lambda row: row[0]):
        for number, (_, item, detail) in enumerate(rows):
            style = _STYLES.get(item) or _STYLES.get(section, "")
            table.add_row(section if number == 0 else "", Text(item, style=style), Text(detail))
        table.add_section()
    return table


def _rows(summary: Summary) -> Iterator[tuple[str, str, str]]:
    """Yield the section, the item and the detail of each row."""
    for stack in summary.stacks:
        yield stack.name, "resources", str(stack.count)
        yield from ((stack.name, kinds.title(group), _counted(types)) for group, types in stack.resources.items())
    for stack in summary.stacks:
        yield from (("Reachable", reach, how) for reach, how in _reachable(stack))
    if summary.kaito:
        yield "KAITO", "", summary.kaito
    for section, found in (("Model", summary.models), ("Standby", summary.standbys), ("Tuning", summary.tunings)):
        for gpu in found:
            title = section if len(found) == 1 else f"{section} {gpu.name}"
            yield from ((title, item, detail) for item, detail in _fit(gpu))
    for family, vcpus in summary.quota.items():
        yield "Quota", "GPU nodes", f"{'?' if vcpus is None else vcpus} vCPUs of {family}"
    yield from (("Warning", "", warning) for warning in summary.warnings)


def _counted(types: dict[str, int]) -> str:
    """Return types with their numbers, the most numerous first."""
    ordered = sorted(types.items(), key=lambda item: -item[1])
    return ", ".join(kinds.kind(terraform_type).counted(count) for terraform_type, count in ordered)


def _reachable(stack: Stack) -> Iterator[tuple[str, str]]:
    for reach in ("public", "restricted", "private"):
        found: dict[str, list[str]] = {}
        for exposure in stack.exposures:
            if exposure.reach == reach:
                found.setdefault(exposure.how, []).append(exposure.what)
        yield from ((reach, f"{', '.join(what)}: {how}") for how, what in found.items())


def _fit(gpu: Gpu) -> Iterator[tuple[str, str]]:
    yield gpu.preset, _nodes(gpu)
    if gpu.hours_per_week is not None:
        yield "schedule", f"runs {gpu.hours_per_week:g} of 168 hours a week, and when users wake it"
    if gpu.needed_gib is None or gpu.usable_gib is None:
        yield "GPU memory", "not checked: the model or the size is in no catalog"
    else:
        yield "GPU memory", f"fits: needs {gpu.needed_gib:.4g} of {gpu.usable_gib:.4g} usable GiB"
    if gpu.quota_family is None and gpu.instance_type:
        yield "quota", "unknown: `az vm list-skus` shows the family and the vCPUs of the size"
    if gpu.note:
        yield "note", gpu.note


def _nodes(gpu: Gpu) -> str:
    """Return the nodes of all copies of a model."""
    if not gpu.instance_type:
        return "on existing nodes, which its node_labels select"
    each = f", each with {gpu.gpus} × {gpu.gpu_model}" if gpu.gpus else ""
    count = "an unknown number of" if gpu.node_count is None else f"{gpu.node_count} ×"
    copies = f"{gpu.replicas} copies of " if gpu.replicas > 1 else ""
    return f"{copies}{count} {gpu.instance_type}{each}; created by KAITO, not by Terraform"
