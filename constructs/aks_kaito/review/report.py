"""Reports of changes: text for a terminal, and Markdown for a comment on a pull request."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from rich.console import Console
from rich.text import Text

from aks_kaito.review.changes import Absent, Change, StackChanges

_LONGEST_VALUE = 100
_CONTEXT = 20
_STYLES = {"+": "green", "-": "red", "~": "yellow", "!": "bold red"}


def show(changes: Sequence[StackChanges], base: str, console: Console | None = None) -> None:
    """Print the changes since `base`, in colour on a terminal."""
    console = console or Console(highlight=False, soft_wrap=True)
    for line in text(changes, base):
        console.print(Text(line, style=_STYLES.get(line.strip()[:1], "")), soft_wrap=True)


def text(changes: Sequence[StackChanges], base: str) -> Iterator[str]:
    """Yield the changes as lines: `+` added, `-` removed, `~` changed, `!` likely to be replaced or lost."""
    if not changes:
        yield f"The synthesized Terraform is the same as that of {base}."
        return
    for stack in changes:
        yield f"{stack.name}: {_counts(stack)}"
        yield from (f"  + {address}" for address in stack.added)
        for address in stack.removed:
            lost = f"  † loses {stack.lost[address]}" if address in stack.lost else ""
            yield f"  {'!' if lost else '-'} {address}{lost}"
        for address, found in stack.changed.items():
            likely = "  † likely replacement" if address in stack.replaced else ""
            yield f"  {'!' if likely else '~'} {address}{likely}"
            for change in found:
                old, new = _values(change)
                yield f"      {change.key}: {old} → {new}  ({_verdict(change)})"


def markdown(changes: Sequence[StackChanges], base: str) -> Iterator[str]:
    """Yield the changes as Markdown: likely replacements first, then each stack, folded under its counts."""
    yield f"### Synthesized Terraform, compared with `{base}`"
    yield ""
    if not changes:
        yield "No difference."
        return
    replaced = [(stack.name, address) for stack in changes for address in stack.replaced]
    if replaced:
        yield "**† Likely to be replaced** (destroyed and created again):"
        yield ""
        yield from (f"- `{address}` in `{name}`" for name, address in replaced)
        yield ""
    lost = [(stack.name, address, what) for stack in changes for address, what in stack.lost.items()]
    if lost:
        yield "**† Removed, and lost with it:**"
        yield ""
        yield from (f"- {what} of `{address}` in `{name}`" for name, address, what in lost)
        yield ""
    for stack in changes:
        yield f"<details><summary><code>{stack.name}</code>: {_counts(stack)}</summary>"
        yield ""
        yield from _table(stack)
        yield "</details>"
        yield ""
    yield "For every other change, `terraform plan` shows whether it replaces the resource."


def _table(stack: StackChanges) -> Iterator[str]:
    if stack.changed:
        yield "| Address | Key | Old | New | |"
        yield "|---|---|---|---|---|"
        for address, found in stack.changed.items():
            for change in found:
                old, new = _values(change)
                cells = (_code(address), _code(change.key), _code(old), _code(new), _verdict(change, is_markdown=True))
                yield f"| {' | '.join(cells)} |"
        yield ""
    for title, addresses in (("Added", stack.added), ("Removed", stack.removed)):
        if addresses:
            yield f"{title}:"
            yield ""
            yield from (f"- `{address}`" for address in addresses)
            yield ""


def _counts(stack: StackChanges) -> str:
    numbers = {"added": len(stack.added), "removed": len(stack.removed), "changed": len(stack.changed)}
    words = [f"{number} {word}" for word, number in numbers.items() if number]
    if stack.replaced:
        words.append(f"{len(stack.replaced)} likely to be replaced †")
    if stack.lost:
        words.append(f"{len(stack.lost)} lost with what they hold †")
    whole = {"added": "a new stack, ", "removed": "a stack that is gone, ", "changed": ""}[stack.status]
    return whole + ", ".join(words)


def _verdict(change: Change, *, is_markdown: bool = False) -> str:
    if change.replaced_by is None:
        return "see plan"
    return f"**[† replaces]({change.replaced_by})**" if is_markdown else f"† replaces, {change.replaced_by}"


def _values(change: Change) -> tuple[str, str]:
    """Return both values as JSON; long values are cut around the first difference."""
    old, new = _json(change.old), _json(change.new)
    if max(len(old), len(new)) <= _LONGEST_VALUE:
        return old, new
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))))
    start = max(0, same - _CONTEXT)
    return _cut(old, start), _cut(new, start)


def _cut(value: str, start: int) -> str:
    end = start + _LONGEST_VALUE
    return f"{'…' if start else ''}{value[start:end]}{'…' if end < len(value) else ''}"


def _json(value: object) -> str:
    return repr(value) if isinstance(value, Absent) else json.dumps(value, ensure_ascii=False)


def _code(value: str) -> str:
    """Return any value as code for a table cell."""
    runs = re.findall(r"`+", value)
    fence, space = "`" * (1 + max(map(len, runs), default=0)), " " * bool(runs)
    return f"{fence}{space}{value}{space}{fence}".replace("|", "\\|")
