"""Overview of the pools that KAITO made, or of nodes in no pool: owner, age and price, as a table and as findings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from rich import box
from rich.markup import escape
from rich.table import Table

from aks_kaito_cli import answers
from aks_kaito_cli.answers import BLOCKED, FINE, UNDECIDED, Answer, Finding
from aks_kaito_cli.gpu_pools import ownership
from aks_kaito_cli.gpu_pools.cluster import Objects
from aks_kaito_cli.gpu_pools.ownership import Ownership, State
from aks_kaito_cli.gpu_pools.pools import Pool
from aks_kaito_cli.terminal import Terminal

STOP = (
    "Do not stop the cluster (az aks stop) to save GPU nodes: with Workspaces that is not fully supported, and can"
    " leave nodes that are billed. Delete the Workspace instead."
    " See https://learn.microsoft.com/azure/aks/ai-toolchain-operator#limitations"
)
_STYLES = {
    State.OWNED: "green",
    State.LEFT: "yellow",
    State.GOING: "cyan",
    State.ORPHAN: "bold red",
    State.UNKNOWN: "magenta",
}
_FINDINGS: dict[State, answers.State] = {
    State.OWNED: "ok",
    State.LEFT: "warning",
    State.GOING: "info",
    State.ORPHAN: "blocker",
    State.UNKNOWN: "unknown",
}
_WHY = "Reasons"
_HOURS_PER_MONTH = 730
_HOUR, _DAY = 3600, 86400

# Size and whether it is a spot VM, to the price of an hour; None if it has none.
HourlyPrice = Callable[[str, bool], Decimal | None]


@dataclass(frozen=True)
class Row:
    """A pool with its owner and its price.

    Attributes:
        hourly: The price of all its nodes for an hour; None if it is unknown.
    """

    pool: Pool
    ownership: Ownership
    hourly: Decimal | None

    @property
    def detail(self) -> str:
        """The owner in words, with the state of Azure's last operation unless it succeeded."""
        state = self.pool.state
        return self.ownership.detail + (f" (Azure: {state})" if state not in ("", "Succeeded") else "")

    def as_data(self) -> dict[str, Any]:
        """Return the row as plain data for JSON."""
        pool = self.pool
        return {
            "name": pool.name,
            "size": pool.size,
            "nodes": pool.count,
            "state": str(self.ownership.state),
            "detail": self.ownership.detail,
            "azure_state": pool.state,
            "owner": str(pool.owner),
            "created": pool.created.isoformat() if pool.created else None,
            "hourly": None if self.hourly is None else float(self.hourly),
        }


def rows(pools: Iterable[Pool], objects: Objects | None, price: HourlyPrice) -> list[Row]:
    """Return a row for each pool that KAITO made."""
    return [Row(pool, ownership.of(pool, objects), hourly(pool, price)) for pool in pools if pool.owner is not None]


def hourly(pool: Pool, price: HourlyPrice) -> Decimal | None:
    """Return the price of a pool's nodes for an hour; deallocated nodes cost nothing."""
    if pool.is_stopped or pool.count == 0:
        return Decimal(0)
    of_node = price(pool.size, pool.is_spot)
    return None if of_node is None or pool.count is None else of_node * pool.count


class Reasons(NamedTuple):
    """Reasons for which something is unknown; empty if it is known.

    Attributes:
        unreadable: Why the cluster cannot be read.
        unpriced: Why the price list gives no new price.
    """

    unreadable: str = ""
    unpriced: str = ""


def answer(name: str, found: Sequence[Row], reasons: Reasons, currency: str) -> Answer:
    """Return the answer."""
    unreadable = reasons.unreadable
    findings = [_finding(name, row) for row in found]
    if unreadable:
        findings.append(Finding(_WHY, "cluster", "unknown", f"The cluster cannot be read: {unreadable}"))
    if reasons.unpriced:
        findings.append(Finding(_WHY, "prices", "info", f"The price list gives no new prices: {reasons.unpriced}"))
    status = BLOCKED if _of(found, State.ORPHAN) or _of(found, State.LEFT) else UNDECIDED if unreadable else FINE
    more = {"pools": [row.as_data() for row in found], "currency": currency, "warning": STOP}
    following = _next(name, [each.remedy for each in findings if each.remedy], unreadable)
    return Answer(findings, _sentence(name, found, unreadable, currency), following, status, more)


def show(answer: Answer, found: Sequence[Row], currency: str) -> None:
    """Print the table, the remedies, the warning about stopping, the sentence and the next command."""
    console = Terminal()
    if found:
        console.print(table(found, currency))
    lines = [f"{each.subject}: {each.remedy}" for each in answer.findings if each.remedy]
    lines += [each.detail for each in answer.findings if each.group == _WHY]
    lines += [STOP] if found else []
    for line in (*lines, answer.sentence, f"Next: {answer.next_command}"):
        console.print(line, markup=False, soft_wrap=True)


def table(found: Sequence[Row], currency: str, now: datetime | None = None) -> Table:
    """Return the table of the pools."""
    shown = Table(box=box.SIMPLE, pad_edge=False)
    shown.add_column("Node" if _are_nodes(found) else "Pool", no_wrap=True)
    for heading in ("Nodes", "Size", "Age", f"{currency}/h", "State", "Owner"):
        right = heading in ("Nodes", "Age", f"{currency}/h")
        shown.add_column(heading, justify="right" if right else "left", overflow="fold")
    for row in found:
        pool, state = row.pool, row.ownership.state
        shown.add_row(
            escape(pool.name),
            "?" if pool.count is None else str(pool.count),
            escape(f"{pool.size.removeprefix('Standard_')}{' (spot)' if pool.is_spot else ''}"),
            age(pool.created, now or datetime.now(UTC)),
            "?" if row.hourly is None else f"{row.hourly.normalize():f}",
            f"[{_STYLES[state]}]{state}[/]",
            escape(row.detail),
        )
    return shown


def age(created: datetime | None, now: datetime) -> str:
    """Return an age in words, such as 3 d or 5 h."""
    if created is None:
        return "?"
    seconds = max(0, int((now - created).total_seconds()))
    if seconds >= 2 * _DAY:
        return f"{seconds // _DAY} d"
    return f"{seconds // _HOUR} h" if seconds >= _HOUR else f"{seconds // 60} min"


def _next(name: str, remedies: Sequence[str], unreadable: str) -> str:
    if remedies:
        return remedies[0]
    if unreadable:
        return f"make gpu-pools ENV={name}, on a machine that reaches the cluster"
    return f"make cost ENV={name}"


def _are_nodes(found: Sequence[Row]) -> bool:
    """Return whether all rows are nodes of node auto-provisioning, which are in no pool of AKS."""
    return bool(found) and all(row.pool.node_pool for row in found)


def _sentence(name: str, found: Sequence[Row], unreadable: str, currency: str) -> str:
    if not found:
        more = "; the nodes of node auto-provisioning are in the cluster, which cannot be read" if unreadable else ""
        return f"KAITO has no node pools in {name}{more}."
    noun = "node" if _are_nodes(found) else "node pool"
    pools = f"1 {noun}" if len(found) == 1 else f"{len(found)} {noun}s"
    text = f"KAITO made {pools} in {name}, for {_cost(found, currency)}"
    if unreadable:
        return f"{text}; whether an owner is left cannot be decided, so none is called an orphan."
    orphans, left = _of(found, State.ORPHAN), _of(found, State.LEFT)
    if not orphans and not left:
        return f"{text}; none is an orphan."
    if orphans:
        text += (
            f"; {len(orphans)} {'is an orphan' if len(orphans) == 1 else 'are orphans'}, for {_cost(orphans, currency)}"
        )
    if left:
        keeper = "NodePool" if _are_nodes(left) else "NodeClaim"
        verb = f"has only a {keeper}" if len(left) == 1 else f"have only {keeper}s"
        text += f"; {len(left)} {verb}, for {_cost(left, currency)}"
    return f"{text}."


def _of(found: Sequence[Row], state: State) -> list[Row]:
    return [row for row in found if row.ownership.state is state]


def _cost(found: Sequence[Row], currency: str) -> str:
    """Return the cost of pools per hour and month."""
    priced = [row.hourly for row in found if row.hourly is not None]
    if not priced:
        return "an unknown price"
    total = sum(priced, Decimal(0))
    least = "at least " if len(priced) < len(found) else ""
    return f"{least}{total.normalize():f} {currency} per hour ({total * _HOURS_PER_MONTH:,.0f} per month)"


def _finding(name: str, row: Row) -> Finding:
    remedies = {
        State.ORPHAN: f"make gpu-pools ENV={name} DELETE={row.pool.name}",
        # Karpenter would replace a NodeClaim that its NodePool wants.
        State.LEFT: f"kubectl delete nodepools.karpenter.sh {row.pool.node_pool}"
        if row.pool.node_pool
        else f"kubectl delete nodeclaim {row.pool.name}",
    }
    state, detail = row.ownership
    return Finding("GPU pools", row.pool.name, _FINDINGS[state], f"{state}: {detail}", remedies.get(state, ""))
