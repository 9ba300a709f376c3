"""Values of the chat chart for the number of copies of a model: fixed, by load, or by a schedule."""

from aks_kaito.charts.values import Values
from aks_kaito.settings.model import Model
from aks_kaito.settings.scaling import Metric, Schedule
from aks_kaito.settings.workload import Chat


def copies(model: Model, *, is_open_source: bool) -> Values:
    """Return the number of copies: of Workspaces on the add-on, or of an InferenceSet."""
    values: Values = {}
    if model.replicas > 1:
        values |= {"replicas": model.replicas} if is_open_source else {"kind": "Workspace", "replicas": model.replicas}
    if model.schedule is not None:
        values["schedule"] = _schedule(model.schedule, model.awake_replicas)
    if model.max_replicas is not None:
        values["autoscaling"] = _autoscaling(model, model.max_replicas)
    return values


def _schedule(schedule: Schedule, replicas: int) -> Values:
    return {
        "enabled": True,
        "wakes": schedule.wake_cron,
        "sleeps": schedule.sleep_cron,
        "timeZone": schedule.time_zone,
        "replicas": replicas,
        "holdSeconds": schedule.hold_seconds,
    }


def _autoscaling(model: Model, most: int) -> Values:
    """Return the bounds, and the metrics and windows if the file has them; the chart has the same defaults."""
    values: Values = {"enabled": True, "minReplicas": model.min_replicas or 1, "maxReplicas": most}
    if (given := model.autoscaling) is not None:
        values |= {
            "metrics": [_metric(each) for each in given.metrics],
            "evaluationWindowSeconds": given.evaluation_window_seconds,
            "scaleUpCooldownSeconds": given.scale_up_cooldown_seconds,
            "scaleDownCooldownSeconds": given.scale_down_cooldown_seconds,
        }
    return values


def _metric(metric: Metric) -> Values:
    window = {} if metric.window_seconds is None else {"windowSeconds": metric.window_seconds}
    thresholds = {"upThreshold": metric.up_threshold, "downThreshold": metric.down_threshold}
    return {"name": metric.name, "type": metric.type} | thresholds | window


def waking(chat: Chat) -> Values:
    """Return the settings of the chat's wake button; none if nobody may wake a model."""
    if chat.wake_allowed == "nobody":
        return {}
    lists = {"KAITO_CHAT_WAKE_USERS": list(chat.wake_users), "KAITO_CHAT_WAKE_GROUPS": list(chat.wake_groups)}
    return {"KAITO_CHAT_WAKE_ALLOWED": chat.wake_allowed} | {name: names for name, names in lists.items() if names}
