"""The findings on the models, and the engine's last words."""

from collections.abc import Iterator

from aks_kaito.charts.names import ADD_ON_NAMESPACE, GPU_PROVISIONER, GPU_PROVISIONER_NAMESPACE, kaito_namespace
from aks_kaito.settings import Environment
from aks_kaito.settings.model import DEFAULT
from aks_kaito_cli.answers import Finding, State
from aks_kaito_cli.status.look import Look, ModelState, slowness
from aks_kaito_cli.status.objects import duration, line, name
from aks_kaito_cli.status.questions import ADD_ON_PROVISIONER
from aks_kaito_cli.status.replicas import ModelSet
from aks_kaito_cli.status.stages import TYPICAL_SECONDS, Stage

_MODEL = "Model"
_SERVER_STAGES = (Stage.LOAD, Stage.ENGINE, Stage.BENCHMARK)


def words_of(environment: Environment, state: ModelState | None = None) -> dict[str, str]:
    """Return the words that replace the placeholders of causes."""
    settings, names = environment.settings, environment.names
    replica = state.replica if state else None
    models = settings.all_models
    key = replica.key if replica and replica.key in models else next(iter(models))
    is_short = key == DEFAULT and settings.has_short_model
    is_open = settings.kaito.is_open_source
    return {
        "kaito_namespace": kaito_namespace(settings),
        "provisioner": GPU_PROVISIONER if is_open else ADD_ON_PROVISIONER,
        "provisioner_namespace": GPU_PROVISIONER_NAMESPACE if is_open else ADD_ON_NAMESPACE,
        "model": replica.model if replica else models[key].preset,
        "table": "model" if is_short else f"models.{key}",
        "size": (replica.size if replica else "") or models[key].instance_type or "the GPU size",
        "region": settings.location,
        "environment": environment.name,
        "namespace": settings.chat.namespace,
        "group": names.resource_group,
        "cluster": names.cluster,
        "pod": (name(replica.pod) if replica else "") or (f"{replica.name}-0" if replica else "the model's pod"),
    }


def findings(seen: Look, environment: Environment) -> Iterator[Finding]:
    """Yield a finding for each model and replica, or the reason why there is none."""
    if not environment.settings.kaito.enabled or seen.cluster.path == "none":
        return
    if error := seen.cluster.error("workspaces"):
        yield Finding(_MODEL, "Workspaces", "unknown", error)
        return
    for state in seen.models:
        yield _finding(state, environment)
        if said := last_words(state):
            yield Finding(_MODEL, f"last words of {state.replica.name}", "info", said)
    yield from _of_sets(seen, environment)
    if not seen.models and not seen.sets:
        yield _none(seen, environment)


def _of_sets(seen: Look, environment: Environment) -> Iterator[Finding]:
    for each in seen.sets:
        if found := seen.set_causes.get(each.name):
            words = {**words_of(environment), "model": each.name}
            detail = f"{found.cause.sentence.format(**words)} ({found.evidence.text})"
            yield Finding(_MODEL, each.name, "blocker", detail, found.cause.remedy.format(**words))
        elif each.wanted == 0:
            yield asleep(each, environment)
        elif each.ready < each.wanted:
            some: State = "warning" if each.ready else "unknown"
            yield Finding(_MODEL, each.name, some, f"{each.ready} of {each.wanted} replicas are ready")


def asleep(found: ModelSet, environment: Environment) -> Finding:
    """Return the finding on a model without replicas: by its schedule, if the environment file has one."""
    model = environment.settings.all_models.get(found.key)
    if model is None or model.schedule is None:
        return Finding(_MODEL, found.name, "info", "is scaled to no replica")
    schedule = model.schedule
    days = ", ".join(schedule.days)
    detail = f"is scaled to no replica; its schedule starts it at {schedule.wakes} ({schedule.time_zone}) on {days}"
    scale = f"kubectl --namespace {environment.settings.chat.namespace} scale inferenceset {found.name}"
    return Finding(_MODEL, found.name, "info", detail, f"{scale} --replicas {model.awake_replicas}")


def _none(seen: Look, environment: Environment) -> Finding:
    detail = f"there is no Workspace in the namespace {environment.settings.chat.namespace}"
    if seen.cluster.answers["workspaces"].absent:
        detail = "the cluster does not know the kind Workspace: KAITO is not installed"
    return Finding(_MODEL, "Workspaces", "blocker", detail, f"make deploy ENV={environment.name} TAG=...")


def _finding(state: ModelState, environment: Environment) -> Finding:
    replica = state.replica
    if replica.deleted:
        remedy = f"kubectl --namespace {environment.settings.chat.namespace} describe workspace {replica.name}"
        return Finding(_MODEL, replica.name, "unknown", "is being deleted", remedy)
    if state.step is None:
        return Finding(_MODEL, replica.name, "ok", "answers")
    words = words_of(environment, state)
    if state.diagnosis:
        cause, evidence = state.diagnosis
        detail = f"{cause_of(state, environment)} ({evidence.place}: {line(evidence.text, 300)})"
        return Finding(_MODEL, replica.name, "blocker", detail, cause.remedy.format(**words))
    return Finding(_MODEL, replica.name, "unknown", in_progress(state))


def cause_of(state: ModelState, environment: Environment) -> str:
    """Return the sentence of a model's cause; empty if it has none."""
    return state.diagnosis.cause.sentence.format(**words_of(environment, state)) if state.diagnosis else ""


def in_progress(state: ModelState) -> str:
    """Return the stage of a model that is not ready, with its times."""
    step = state.step
    assert step is not None  # noqa: S101 - callers ask about models that are not ready
    since = f" since {duration(step.seconds)}" if step.seconds is not None else ""
    typical = slowness(step) or f" (typically {duration(TYPICAL_SECONDS[step.stage])})"
    left = state.replica.remaining_seconds if step.stage is Stage.LOAD else None
    download = f"; the download takes {duration(left)} more" if left else ""
    return f"is not ready yet: {step.stage}{since}{typical}{download}"


def last_words(state: ModelState) -> str:
    """Return the last line of the model server's log; empty before its start and once it answers."""
    if state.step is None or state.step.stage not in _SERVER_STAGES:
        return ""
    lines = [each.text for each in (*state.replica.previous, *state.replica.log) if each.text.strip()]
    return line(lines[-1], 200) if lines else ""
