"""The subcommand that finds forgotten GPU nodes: `gpu-pools`."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from aks_kaito.settings import Environment as Settings
from aks_kaito.settings import SettingsError
from aks_kaito_cli.answers import BLOCKED, FINE, UNDECIDED, UNUSABLE
from aks_kaito_cli.groups import operations
from aks_kaito_cli.groups.arguments import Environment
from aks_kaito_cli.groups.cluster_ways import ways
from aks_kaito_cli.project import environment_named
from aks_kaito_cli.shell import Shell

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

    Needs a sign-in that may read the cluster, and kubectl with kubelogin, or the cluster's run command (az). Prices
    need the public price list; without it they are shown as unknown.

    Exit status: 0; 1 if a pool has no Workspace any more, or the deletion failed; 2 if the environment has no cluster
    or the pool must not be deleted; 3 if it cannot be decided.
    """
    operations.require()
    from aks_kaito_cli.azure.errors import AzureAnswerError, NotFoundError

    try:
        named = environment_named(environment)
        status = _delete(named, delete, yes=yes) if delete else _list(named, currency, as_json=as_json)
    except (SettingsError, ValueError) as error:
        status = _said(str(error), UNUSABLE)
    except NotFoundError as error:
        status = _said(f"{environment} has no cluster in Azure: {error}", UNUSABLE)
    except AzureAnswerError as error:
        status = _said(f"Azure does not tell the node pools of {environment}: {error}", UNDECIDED)
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
    if found:
        try:
            objects = read()
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


def _delete(environment: Settings, name: str, *, yes: bool) -> int:
    from aks_kaito_cli.gpu_pools.deletion import NotDeletedError, UndecidedError, orphan

    pools = _pools(environment)
    read = _reader(environment, pools)
    try:
        pool = orphan(pools, name, read)
        if not (yes or _confirmed(f"Delete {name}, {pool.count} × {pool.size}, made for {pool.owner}", name)):
            return _said("Nothing was deleted.", UNUSABLE)
        # The user may have taken a while.
        orphan(pools, name, read)
    except NotDeletedError as error:
        return _said(f"Nothing was deleted: {error}", UNUSABLE)
    except UndecidedError as error:
        return _said(f"Nothing was deleted: {error}", UNDECIDED)
    return _deleted(pools, name, f"make gpu-pools ENV={environment.name}")


def _deleted(pools: "Pools", name: str, look: str) -> int:
    """Delete a pool and say how it ended; `look` is the command that lists the pools."""
    from aks_kaito_cli.azure.errors import AzureAnswerError
    from aks_kaito_cli.azure.operations import StillRunningError

    try:
        pools.delete(name, _told(name))
        left = pools.find(name)
    except StillRunningError as error:
        return _said(f"{error}. Look again with: {look}", UNDECIDED)
    except AzureAnswerError as error:
        return _said(f"{name} is not deleted, or Azure does not say so: {error}", BLOCKED)
    if left is not None:
        return _said(f"Azure still has {name}, in the state {left.state}.", BLOCKED)
    print(f"{name} is deleted, and its nodes are not billed any more.\nNext: {look}")
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
        with Console(stderr=True).status("Reading the owners in the cluster"):
            return cluster.read(ways(shell))

    return read


def _confirmed(question: str, name: str) -> bool:
    """Return whether the user typed the name of the pool."""
    if not sys.stdin.isatty():
        sys.stderr.write("There is no terminal to ask on: --yes deletes without asking.\n")
        return False
    return str(typer.prompt(f"{question}? Type its name", default="", show_default=False)).strip() == name


def _told(name: str) -> Callable[[float], None]:
    """Return the function that says how long the deletion has taken."""

    def tell(elapsed: float) -> None:
        sys.stderr.write(f"Azure deletes {name}: {elapsed:.0f} s\n")

    return tell


def _said(text: str, status: int) -> int:
    sys.stderr.write(f"{text}\n")
    return status
