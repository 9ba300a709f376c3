"""Values of the chat chart for the models of an environment: `model`, the default one, and `models`, the others."""

from collections.abc import Mapping
from typing import Any

from aks_kaito.charts import kaito, scaling_values, tuning_values
from aks_kaito.charts.values import Values, tolerations
from aks_kaito.models.copies import takes_token
from aks_kaito.settings import Environment, Settings
from aks_kaito.settings.model import DEFAULT, Model
from aks_kaito.settings.model_parts import Adapter, Starter

_SPOT_LABEL = {"kubernetes.azure.com/scalesetpriority": "spot"}


def models(environment: Environment) -> Values:
    """Return the values of all models."""
    settings = environment.settings
    found = {name: _values(environment, name, model) for name, model in settings.all_models.items()}
    values: Values = {"model": {"enabled": settings.kaito.enabled} | found.pop(DEFAULT, {"enabled": False})}
    values |= {"models": found} if found and settings.kaito.enabled else {}
    values |= tuning_values.tunings(settings, environment.names.registry)
    return values | (_open_source(settings) if settings.kaito.is_open_source else {})


def _open_source(settings: Settings) -> Values:
    """Return the values for the open-source KAITO: every model is an InferenceSet, so that scaling renames none."""
    values: Values = {"kaito": {"inferenceSets": "always"}}
    if settings.kaito.routing == "gateway":
        values["routing"] = {"mode": "gateway"}
        if found := tolerations(settings):
            values["routing"]["tolerations"] = found
    return values


def _values(environment: Environment, name: str, model: Model) -> Values:
    values = {
        **_container(model, environment.templates.get(name)),
        "instanceType": model.instance_type,
        "nodeCount": model.node_count,
        **_server(model, environment),
        **_nodes(model),
        **_copies(model, is_open_source=environment.settings.kaito.is_open_source),
        **_profile(model),
        **_switch(model),
    }
    _give_token(values, model, environment.settings.kaito.version)
    if hostname := environment.settings.model_hostnames.get(name):
        values["ingress"] = _endpoint(environment.settings, hostname)
    return values


def _container(model: Model, template: Mapping[str, Any] | None) -> Values:
    """Return the preset, or the pod template."""
    return {"preset": model.preset} if model.template is None else {"template": dict(template or {})}


def _server(model: Model, environment: Environment) -> Values:
    """Return the parameters of the model server."""
    length = {} if model.max_model_len is None else {"max-model-len": model.max_model_len}
    values: Values = {}
    if vllm := model.vllm | length:
        values["vllm"] = vllm
    if model.runtime != "vllm":
        values["runtime"] = model.runtime
    if model.adapters:
        values["adapters"] = [_adapter(name, adapter, environment) for name, adapter in model.adapters.items()]
    mode = {} if model.performance_mode == "balanced" else {"kaito.sh/performance-mode": model.performance_mode}
    if annotations := {**mode, **kaito.image_family(model.node_image_family, environment.settings)}:
        values["annotations"] = annotations
    return values


def _adapter(name: str, adapter: Adapter, environment: Environment) -> Values:
    registry = environment.names.registry
    image, volume_claim = tuning_values.source(adapter, environment.settings, registry)
    values: Values = {"name": name}
    if image is not None:
        values |= {"image": image, **tuning_values.pull_secrets(image, registry)}
    if volume_claim is not None:
        values["volume"] = {"persistentVolumeClaim": {"claimName": volume_claim}}
    if adapter.strength is not None:
        values["strength"] = f"{adapter.strength:g}"
    return values


def _nodes(model: Model) -> Values:
    """Return the choice of nodes."""
    values: Values = {}
    if labels := model.node_labels | (_SPOT_LABEL if model.spot_enabled else {}):
        values["nodeLabels"] = labels
    if model.preferred_nodes:
        values["preferredNodes"] = list(model.preferred_nodes)
    if model.mig_profile is not None:
        values["migProfile"] = model.mig_profile
    return values


def _copies(model: Model, *, is_open_source: bool) -> Values:
    """Return the number of copies, and the upgrade that only an InferenceSet has."""
    values = scaling_values.copies(model, is_open_source=is_open_source)
    if (upgrade := model.auto_upgrade) is not None:
        window = (
            {} if upgrade.schedule is None else {"schedule": upgrade.schedule, "duration": f"{upgrade.duration_hours}h"}
        )
        values |= {"kind": "InferenceSet", "autoUpgrade": {"enabled": True, "strategy": upgrade.strategy} | window}
    return values


def _profile(model: Model) -> Values:
    """Return the profile in the chat."""
    profile = {
        "displayName": model.display_name,
        "description": model.description,
        "icon": model.icon,
        "starters": [_starter(each) for each in model.starters],
    }
    return {key: value for key, value in profile.items() if value}


def _starter(starter: Starter) -> Values:
    icon = {} if starter.icon is None else {"icon": starter.icon}
    return {"label": starter.label, "message": starter.message} | icon


def _switch(model: Model) -> Values:
    """Return the standby, and whether a model that is not ready may replace a running one."""
    standby = model.standby()
    values: Values = {"allowInterruption": True} if model.interruption_allowed else {}
    if standby is not None:
        values["standby"] = {
            **({"preset": standby.preset} if standby.template is None else {}),
            "instanceType": standby.instance_type,
            "nodeCount": standby.node_count,
        }
    return values


def _give_token(values: Values, model: Model, version: str) -> None:
    """Add the token's secret to the model and its standby; each has it only if it needs one."""
    if model.access_secret is None:
        return
    if takes_token(model, version):
        values["keyVaultSecret"] = model.access_secret
    standby = model.standby()
    if standby is not None and takes_token(standby, version) != takes_token(model, version):
        values["standby"]["keyVaultSecret"] = "" if takes_token(model, version) else model.access_secret


def _endpoint(settings: Settings, hostname: str) -> Values:
    """Return the Ingress of the model's own endpoint."""
    ingress = settings.ingress
    return {
        "enabled": True,
        "host": hostname,
        "basicAuthSecret": ingress.model_basic_auth_secret_name or "",
        "allowedCidrs": [each if "/" in each else f"{each}/32" for each in ingress.model_allowed_ip_ranges],
    }
