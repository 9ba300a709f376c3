"""Rules on the number of copies of models: autoscaling by load, schedules, and the users who may wake a model."""

from collections.abc import Iterator

from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.kaito import prefix_of
from aks_kaito.settings.rules.rule import Context, rule


@rule("model", "models")
def autoscaling_has_bounds(context: Context) -> Iterator[Problem]:
    """Metrics and windows have an effect with bounds only."""
    for name, model in context.settings.all_models.items():
        prefix = prefix_of(context, name)
        if model.autoscaling is not None and model.max_replicas is None:
            yield Problem(f"{prefix}max_replicas", MISSING, f"must be set beside {prefix}autoscaling")


@rule("model", "models", "cluster.keda_enabled")
def autoscaling_has_keda(context: Context) -> Iterator[Problem]:
    """KEDA scales, so the cluster has its add-on as long as a model has bounds."""
    settings = context.settings
    scaled = [name for name, model in settings.all_models.items() if model.max_replicas is not None]
    if scaled and not settings.cluster.keda_enabled:
        key = f"{prefix_of(context, scaled[0])}max_replicas"
        allowed = f"must be true with {key}. Remove the autoscaling first and deploy: KEDA itself deletes its objects"
        yield Problem("cluster.keda_enabled", value=False, allowed=allowed)


@rule("model", "models")
def schedules_agree(context: Context) -> Iterator[Problem]:
    """The number of copies of a schedule is within the bounds, and the model has no key that counts Workspaces."""
    for name, model in context.settings.all_models.items():
        schedule, prefix = model.schedule, prefix_of(context, name)
        if schedule is None:
            continue
        if schedule.replicas is not None and model.max_replicas is not None:
            least = model.min_replicas or 1
            if not least <= schedule.replicas <= model.max_replicas:
                allowed = f"must be {least} to {model.max_replicas}, as min_replicas and max_replicas say"
                yield Problem(f"{prefix}schedule.replicas", schedule.replicas, allowed)
        elif schedule.replicas is not None and model.replicas not in (1, schedule.replicas):
            allowed = f"must not differ from {prefix}replicas ({model.replicas}): remove one of both"
            yield Problem(f"{prefix}schedule.replicas", schedule.replicas, allowed)


@rule("chat")
def users_who_wake_are_known(context: Context) -> Iterator[Problem]:
    """The chat knows who its users are, and the lists are used."""
    chat = context.settings.chat
    if chat.wake_allowed != "nobody" and chat.sign_in == "none":
        yield Problem("chat.wake_allowed", chat.wake_allowed, 'needs chat.sign_in = "entra": the chat knows no users')
    listed = {"wake_users": chat.wake_users, "wake_groups": chat.wake_groups}
    if chat.wake_allowed == "listed" and not any(listed.values()):
        yield Problem("chat.wake_users", MISSING, 'must be set, or chat.wake_groups, with wake_allowed = "listed"')
    for key, names in listed.items():
        if names and chat.wake_allowed != "listed":
            allowed = f'must be empty with wake_allowed = "{chat.wake_allowed}": it has no effect'
            yield Problem(f"chat.{key}", list(names), allowed)


@rule("chat", "model", "models")
def wakes_have_a_schedule(context: Context) -> Iterator[Problem]:
    """There is a model that sleeps."""
    settings = context.settings
    if settings.chat.wake_allowed != "nobody" and not any(each.schedule for each in settings.all_models.values()):
        yield Problem("chat.wake_allowed", settings.chat.wake_allowed, "has no effect: no model has a schedule")
