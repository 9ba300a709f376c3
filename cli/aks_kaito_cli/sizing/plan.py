"""The size of an environment: replicas of each model, pods of the chat, the database, and the keys to write."""

from dataclasses import dataclass

from aks_kaito.review.summary import Gpu
from aks_kaito.review.summary import models as gpus_of
from aks_kaito.settings import Environment, Settings
from aks_kaito.settings.model import DEFAULT, Model
from aks_kaito_cli.sizing import chat_pods, database, speeds
from aks_kaito_cli.sizing.assumptions import QUESTION_TOKENS, Assumptions, shares_of
from aks_kaito_cli.sizing.load import Load
from aks_kaito_cli.sizing.replicas import Found, smallest
from aks_kaito_cli.sizing.speed import Speed


@dataclass(frozen=True)
class SizedModel:
    """A model with its load, its speed and its replicas; without a speed, nothing is known.

    Attributes:
        gpu: Its GPU nodes as the environment file has them.
        key: The key of the environment file that limits the replicas.
    """

    gpu: Gpu
    key: str
    load: Load
    speed: Speed | None
    found: Found | None

    @property
    def vcpus(self) -> int | None:
        """The vCPUs of the quota family that the replicas need; None if unknown."""
        if self.found is None or self.gpu.vcpus is None:
            return None
        return self.gpu.vcpus // self.gpu.replicas * self.found.replicas


@dataclass(frozen=True)
class Key:
    """A key of the environment file with the present value and the needed one."""

    name: str
    present: int | str
    needed: int | str
    reason: str


@dataclass(frozen=True)
class Plan:
    """The size of an environment.

    Attributes:
        answers: The largest number of answers at once, over all models.
        connections: Connections to the database, with one pod more during a release.
        gib_per_year: Storage of the history for a year.
        sku_name: The size of the server; None if no size has the connections.
        storage_gib: The storage; None if Azure has no disk of that size.
    """

    assumed: Assumptions
    models: tuple[SizedModel, ...]
    answers: int
    pods: int
    connections: int
    gib_per_year: float
    sku_name: str | None
    storage_gib: int | None
    keys: tuple[Key, ...]

    @property
    def changes(self) -> tuple[Key, ...]:
        """The keys whose present value is too small."""
        return tuple(each for each in self.keys if each.needed != each.present)


def of(environment: Environment, assumed: Assumptions, sources: speeds.Sources, measured: str) -> Plan:
    """Size an environment; `measured` is the model of the given figures, or empty for the only one.

    Raises:
        ValueError: An option does not fit the environment, or a source has no usable figures.
    """
    settings = environment.settings
    gpus, _ = gpus_of(settings)
    if not gpus:
        raise ValueError(f"{environment.name} has no model of its own to size: kaito.enabled = false")
    shares = shares_of([each.name for each in gpus], assumed.shares)
    chosen = _measured_model([each.name for each in gpus], sources, measured)
    models = tuple(_sized(settings, gpu, assumed, shares, sources if gpu.name == chosen else None) for gpu in gpus)
    answers = sum(each.found.outcome.most_running for each in models if each.found)
    pods = max(chat_pods.pods_for(answers), settings.chat.replicas)
    connections = (pods + 1) * chat_pods.CONNECTIONS_PER_POD
    server = settings.postgresql
    gib = database.gib_per_year(assumed.questions_per_year, QUESTION_TOKENS, assumed.answer_tokens)
    sku = database.sku_for(connections, server.sku_name)
    storage = database.storage_for(gib, server.storage_gib)
    return Plan(
        assumed,
        models,
        answers,
        pods,
        connections,
        gib,
        sku,
        storage,
        keys=(
            *(_replicas(each) for each in models if each.found and each.found.is_enough),
            *_chat(settings, pods, answers),
            *_server(settings, sku, storage, connections, gib),
        ),
    )


def _measured_model(names: list[str], sources: speeds.Sources, measured: str) -> str | None:
    """Return the model that the figures are of."""
    given = sources.given
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} cannot be combined")
    if measured and measured not in names:
        raise ValueError(f"--model {measured}: no such model; the environment has {', '.join(names)}")
    if measured and not given:
        raise ValueError("--model: names the model of a measurement; give --tokens-per-second, too, or its like")
    if given and not measured and len(names) > 1:
        raise ValueError(f"{given[0]}: say with --model which one was measured: {', '.join(names)}")
    return (measured or names[0]) if given else None


def _sized(
    settings: Settings, gpu: Gpu, assumed: Assumptions, shares: dict[str, float], sources: speeds.Sources | None
) -> SizedModel:
    model, version = settings.all_models[gpu.name], settings.kaito.version
    load = assumed.load_of(shares[gpu.name])
    if sources is None:
        speed = speeds.public(model, version, gpu.node_count)
    else:
        speed = speeds.measured(model, version, gpu.node_count, sources, assumed)
    found = smallest(load, speed, assumed.target) if speed else None
    return SizedModel(gpu, _key(settings, gpu.name, model), load, speed, found)


def _key(settings: Settings, name: str, model: Model) -> str:
    table = "model" if name == DEFAULT and settings.has_short_model else f"models.{name}"
    return f"{table}.{'replicas' if model.max_replicas is None else 'max_replicas'}"


def _replicas(sized: SizedModel) -> Key:
    assert sized.found is not None  # noqa: S101 - the caller selects these
    needed = max(sized.found.replicas, sized.gpu.replicas)
    return Key(sized.key, sized.gpu.replicas, needed, f"{sized.load.users} users in the busiest hour")


def _chat(settings: Settings, pods: int, answers: int) -> list[Key]:
    if pods > chat_pods.MOST_PODS:
        return []
    return [Key("chat.replicas", settings.chat.replicas, pods, f"{answers} answers at once")]


def _server(settings: Settings, sku: str | None, storage: int | None, connections: int, gib: float) -> list[Key]:
    server = settings.postgresql
    if not server.enabled:
        return []
    found = []
    if sku is not None:
        found.append(Key("postgresql.sku_name", server.sku_name, sku, f"{connections} connections"))
    if storage is not None:
        found.append(Key("postgresql.storage_gib", server.storage_gib, storage, f"{gib:.1f} GiB per year, twice"))
    return found
