"""Checks of the environment's file that need no network: placeholders, risks, the catalog's age, the model's fit."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial

from aks_kaito.catalog import CATALOG
from aks_kaito.charts.ours import published
from aks_kaito.models import copies
from aks_kaito.models.tables import KAITO
from aks_kaito.settings import Environment, Settings
from aks_kaito.settings.model import DEFAULT, Model
from aks_kaito.settings.rules import placeholders
from aks_kaito_cli.answers import Finding
from aks_kaito_cli.pages import STATE
from aks_kaito_cli.project import environment_file

GROUP = "File"
_CATALOG_DAYS = 60


def findings(environment: Environment, today: date | None = None) -> list[Finding]:
    """Return the findings on an environment's file; `today` is the current date by default."""
    settings = environment.settings
    return [
        *_placeholders(environment),
        _prefix(environment),
        *_state(settings),
        *_publication(settings),
        *_catalog(settings.kaito.version, today or datetime.now(UTC).date()),
        *_models(settings),
    ]


def _placeholders(environment: Environment) -> Iterator[Finding]:
    found = list(placeholders.found(environment.settings))
    path = environment_file(environment.name)
    for problem in found:
        yield Finding(GROUP, "placeholders", "blocker", str(problem), f"Edit {problem.key} in {path}")
    if not found:
        yield Finding(GROUP, "placeholders", "ok", "none is left")


def _prefix(environment: Environment) -> Finding:
    """Return the finding on the prefix, which cannot change after the first deployment: it blocks none."""
    settings = environment.settings
    finding = partial(Finding, GROUP, "prefix")
    problem = placeholders.shared_prefix(settings)
    if problem is None:
        own = "your own" if settings.subscription_id is None else "in names of your subscription only"
        return finding("ok", f'"{settings.prefix}" is {own}')
    remedy = (
        f"Before the first deployment, change prefix or set subscription_id in {environment_file(environment.name)}"
    )
    return finding("warning", str(problem), remedy)


def _state(settings: Settings) -> Iterator[Finding]:
    """Yield whether both machines that deploy a private environment reach its state."""
    cluster, backend = settings.cluster, settings.state.backend
    is_private = cluster.private_cluster_enabled or settings.network.services_are_private
    finding = partial(Finding, GROUP, "state")
    if is_private and backend == "local":
        text = "the state is a file on this machine, and the second half of the deployment runs inside the network"
        yield finding("warning", text, f'Set state.backend = "azurerm": {STATE}')
    else:
        place = "a file on this machine" if backend == "local" else "a blob"
        yield finding("ok", f"{place}, for a {'private' if is_private else 'public'} environment")


def _publication(settings: Settings) -> Iterator[Finding]:
    ingress, sign_in = settings.ingress, settings.chat.sign_in
    finding = partial(Finding, GROUP, "publication")
    if not published(ingress):
        yield finding("ok", "the chat has no public address")
    elif sign_in == "none":
        text = f"everyone who reaches https://{ingress.hostname} uses the GPU without sign-in"
        yield finding("warning", text, 'Set chat.sign_in = "entra", unless that is intended')
    else:
        yield finding("ok", f"https://{ingress.hostname} has sign-in with Entra ID")


def _catalog(version: str, today: date) -> Iterator[Finding]:
    """Yield the age of the facts on Azure, and of KAITO's tables for the version."""
    for subject, name, checked in (
        ("catalog", "catalog.toml", CATALOG.meta.checked_on),
        ("KAITO's tables", "kaito_catalog.toml", KAITO[version].read_on),
    ):
        age = (today - checked).days
        text = f"{name} was checked on {checked}, {age} {'day' if age == 1 else 'days'} ago"
        if age > _CATALOG_DAYS:
            yield Finding(GROUP, subject, "warning", text, "Refresh it: CONTRIBUTING.md, Refresh the catalog")
        else:
            yield Finding(GROUP, subject, "ok", text)


def _models(settings: Settings) -> Iterator[Finding]:
    if not settings.kaito.enabled:
        yield Finding(GROUP, "model", "info", "KAITO is off: no model and no GPU node")
        return
    for name, model in settings.all_models.items():
        is_short = name == DEFAULT and settings.has_short_model
        begin, of = ("model.", "") if is_short else (f"models.{name}.", f" {name}")
        yield from _fit(f"model{of}", begin, model, settings.kaito.version)
        standby = model.standby()
        if standby is not None:
            yield from _fit(f"standby{of}", f"{begin}standby_", standby, settings.kaito.version)


def _fit(subject: str, prefix: str, model: Model, version: str) -> Iterator[Finding]:
    """Yield whether a model fits on the nodes that KAITO will make, with its memory."""
    found = copies.of_one(model, version)
    where = f"{model.title} on {model.instance_type or 'existing nodes'}"
    for obstacle in found.obstacles:
        text = f"{where}: {obstacle.key} {obstacle.text}"
        # The context's length has one key for both.
        begin = prefix.removesuffix("standby_") if obstacle.key == "max_model_len" else prefix
        key = f"{begin}{obstacle.key}"
        yield Finding(GROUP, subject, "blocker", text, f"Change {key}, or {prefix}preset")
    if found.obstacles:
        return
    made = "a number of nodes of its own" if found.nodes is None else _counted(found.nodes)
    if found.nodes is None or found.needed_gib is None or found.usable_gib is None:
        text = f"{where}: KAITO {version} makes {made}; the catalog does not know whether the model fits"
        yield Finding(GROUP, subject, "unknown", text, "Compare its size with the GPUs' memory yourself")
        return
    memory = f"the model needs {found.needed_gib:.1f} of {found.usable_gib:.1f} GiB of GPU memory"
    other = "" if found.nodes == model.node_count else f", not the {model.node_count} of node_count"
    yield Finding(GROUP, subject, "ok", f"{where}: KAITO {version} makes {made}{other}; {memory}")


def _counted(nodes: int) -> str:
    return "1 node" if nodes == 1 else f"{nodes} nodes"
