"""The subcommand that finds forgotten GPU nodes: `gpu-pools`."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from aks_kaito.settings import Environment as Settings
from aks_kaito.settings import SettingsError
from aks_kaito_cli.answers import BLOCKED, FINE, UNDECIDED, UNUSABLE, Answer, show, show_failure
from aks_kaito_cli.gpu_pools.ways import ways
from aks_kaito_cli.groups import operations
from aks_kaito_cli.groups.arguments import Environment
from aks_kaito_cli.project import environment_named
from aks_kaito_cli.shell import Shell
from aks_kaito_cli.terminal import plain, progress_console, say

if TYPE_CHECKING:
    from aks_kaito_cli.gpu_pools.azure import Pools
    from aks_kaito_cli.gpu_pools.cluster import Objects


def register(app: typer.Typer) -> None:
    """Add the subcommand to the application."""
    app.command("gpu-pools", epilog="Example: aks-kaito gpu-pools dev --delete ws1a2b3c4d5")(gpu_pools)


def gpu_pools(
    environment: Environment,
    *,
    delete: Annotated[str, typer.Option(metavar="NAME", help="Delete this pool, if it is an orphan.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the deletion.")] = False,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Currency of the prices, such as EUR.")] = "USD",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the GPU node pools that KAITO made.

    A pool is an orphan if its Workspace and its NodeClaim are gone: Azure bills its nodes, and nobody uses them. Where
    the cluster cannot be read, the owner is unknown. --delete checks the owner again right before the deletion, and
    never deletes a pool that Terraform manages.

    With node auto-provisioning, the nodes are in no pool: they are listed by their NodeClaims. KAITO deletes them with
    their Workspace, so that none becomes an orphan.

    Needs a sign-in that may read the cluster, and kubectl with kubelogin, or the cluster's run command (az). Prices
    need the public price list; without it they are shown as unknown.

    Exit status: 0; 1 if a pool has no Workspace any more, or the deletion failed; 2 if the environment has no cluster
    or the pool must not be deleted; 3 if it cannot be decided.
    """
    operations.require(as_json=as_json)
    from aks_kaito_cli.azure.errors import AzureAnswerError, NotFoundError

    try:
        named = environment_named(environment)
        status = _delete(named, delete, yes=yes, as_json=as_json) if delete else _list(named, currency, as_json=as_json)
    except (SettingsError, ValueError) as error:
        status = show_failure(str(error), exit_status=UNUSABLE, as_json=as_json)
    except NotFoundError as error:
        reason = f"{environment} has no cluster in Azure: {error}"
        status = show_failure(reason, exit_status=UNUSABLE, as_json=as_json)
    except AzureAnswerError as error:
        reason = f"Azure does not tell the node pools of {environment}: {error}"
        status = show_failure(reason, exit_status=UNDECIDED, as_json=as_json)
    raise typer.Exit(status)


def _list(environment: Settings, currency: str, *, as_json: bool) -> int:
    from aks_kaito_cli.cost.hourly import hourly
    from aks_kaito_cli.cost.retail import RetailPrices, currency_code
    from aks_kaito_cli.gpu_pools import overview
    from aks_kaito_cli.gpu_pools.cluster import ClusterUnreadableError

    prices, region = RetailPrices(os.environ, currency_code(currency)), environment.settings.location
    pools = _pools(environment)
    read = _reader(environment, pools)
    found = [pool for pool in pools.all() if pool.owner is not None]
    objects, unreadable = None, ""
    if found or environment.settings.kaito.installed_provisioner == "node-auto-provisioning":
        try:
            objects = read()
            found += [node for node in objects.nodes if node.node_pool]
        except ClusterUnreadableError as error:
            unreadable = str(error)
    rows = overview.rows(found, objects, lambda size, is_spot: hourly(prices, region, size, is_spot=is_spot))
    reasons = overview.Reasons(unreadable, prices.problem)
    answer = overview.answer(environment.name, rows, reasons, prices.currency)
    if as_json:
        print(answer.as_json())
    else:
        overview.show(answer, rows, prices.currency)
    return answer.exit_status


def _delete(environment: Settings, name: str, *, yes: bool, as_json: bool) -> int:
    from aks_kaito_cli.gpu_pools.deletion import NotDeletedError, UndecidedError, orphan

    pools = _pools(environment)
    read = _reader(environment, pools)
    try:
        pool = orphan(pools, name, read)
        if not (yes or _confirmed(f"Delete {name}, {pool.count} × {pool.size}, made for {pool.owner}", name)):
            return show_failure("Nothing was deleted.", exit_status=UNUSABLE, as_json=as_json)
        # The user may have taken a while.
        orphan(pools, name, read)
    except NotDeletedError as error:
        return show_failure(f"Nothing was deleted: {error}", exit_status=UNUSABLE, as_json=as_json)
    except UndecidedError as error:
        return show_failure(f"Nothing was deleted: {error}", exit_status=UNDECIDED, as_json=as_json)
    return _deleted(pools, name, f"make gpu-pools ENV={environment.name}", as_json=as_json)


def _deleted(pools: "Pools", name: str, look: str, *, as_json: bool) -> int:
    """Delete a pool and say how it ended; `look` is the command that lists the pools."""
    from aks_kaito_cli.azure.errors import AzureAnswerError
    from aks_kaito_cli.azure.operations import StillRunningError

    try:
        pools.delete(name, _told(name))
        left = pools.find(name)
    except StillRunningError as error:
        return show_failure(f"{error}.", look, exit_status=UNDECIDED, as_json=as_json)
    except AzureAnswerError as error:
        reason = f"{name} is not deleted, or Azure does not say so: {error}"
        return show_failure(reason, look, exit_status=BLOCKED, as_json=as_json)
    if left is not None:
        reason = f"Azure still has {name}, in the state {left.state}."
        return show_failure(reason, look, exit_status=BLOCKED, as_json=as_json)
    show(Answer((), f"{name} is deleted, and its nodes are not billed any more.", look, FINE, {}), as_json=as_json)
    return FINE


def _pools(environment: Settings) -> "Pools":
    from aks_kaito_cli.azure import access
    from aks_kaito_cli.gpu_pools import azure

    arm = access.arm(os.environ)
    return azure.of_environment(arm, access.subscription(arm, environment, os.environ), environment)


def _reader(environment: Settings, pools: "Pools") -> Callable[[], "Objects"]:
    """Return the function that reads the owners in the cluster of these pools.

    Raises:
        NotFoundError: There is no such cluster.
        AzureAnswerError: Azure gives no usable answer.
    """
    from aks_kaito_cli.gpu_pools import cluster

    is_stopped = pools.is_stopped()
    # The same subscription: az may have selected another one, with a cluster of the same name.
    shell = Shell(environment, {**os.environ, "ARM_SUBSCRIPTION_ID": pools.subscription})

    def read() -> "Objects":
        if is_stopped:
            raise cluster.ClusterUnreadableError("the cluster is stopped")
        with progress_console().status("Reading the owners in the cluster"):
            return cluster.read(ways(shell))

    return read


def _confirmed(question: str, name: str) -> bool:
    """Return whether the user typed the name of the pool."""
    if not sys.stdin.isatty():
        say("There is no terminal to ask on: --yes deletes without asking.")
        return False
    try:
        typed = typer.prompt(plain(f"{question}? Type its name"), default="", show_default=False, err=True)
    except typer.Abort:
        return False
    return str(typed).strip() == name


def _told(name: str) -> Callable[[float], None]:
    """Return the function that says how long the deletion has taken."""

    def tell(elapsed: float) -> None:
        say(f"Azure deletes {name}: {elapsed:.0f} s")

    return tell
