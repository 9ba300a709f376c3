"""Values of the chat chart for tunings, for adapters that are their results, and for the logins to the registry.

KAITO downloads adapters and data, and pushes results, in containers that do not have the kubelet's identity.
"""

from aks_kaito.charts.names import REGISTRY_PULL, registry_server
from aks_kaito.charts.values import Values
from aks_kaito.models.tuning import parameters
from aks_kaito.settings import Settings
from aks_kaito.settings.model_parts import Adapter
from aks_kaito.settings.tuning import Tuning

_REPOSITORY = "tuning"


def tunings(settings: Settings, registry: str) -> Values:
    """Return the values of the tunings that run, and of the logins, which the deployment completes."""
    server = registry_server(registry)
    found = {name: _values(name, each, server) for name, each in settings.running_tunings.items()}
    values: Values = {"tuning": found} if found else {}
    logins = {
        right: {"enabled": True}
        for right, is_needed in (("push", pushes(settings)), ("pull", pulls(settings, registry)))
        if is_needed
    }
    return values | ({"registryLogin": {"server": server, **logins}} if logins else {})


def pushes(settings: Settings) -> bool:
    """Return whether a tuning pushes an image with an identity of the environment."""
    running = settings.running_tunings.values()
    return any(each.output_volume_claim is None and each.push_secret_name is None for each in running)


def pulls(settings: Settings, registry: str) -> bool:
    """Return whether a container of KAITO pulls from the environment's registry."""
    if not settings.kaito.enabled:
        return False
    data = [each.data_image for each in settings.running_tunings.values()]
    models = settings.all_models.values()
    adapters = [source(each, settings, registry)[0] for model in models for each in model.adapters.values()]
    return any(_is_own(image, registry_server(registry)) for image in (*data, *adapters))


def source(adapter: Adapter, settings: Settings, registry: str) -> tuple[str | None, str | None]:
    """Return the image and the volume claim of an adapter, of which one is None."""
    if adapter.tuning is None:
        return adapter.image, adapter.volume_claim
    tuning = settings.tuning[adapter.tuning]
    if tuning.output_volume_claim is not None:
        return None, tuning.output_volume_claim
    return _image(adapter.tuning, registry_server(registry), adapter.tuning_tag or tuning.output_tag), None


def pull_secrets(image: str, registry: str) -> Values:
    """Return the value with the Secret that pulls an image; empty for other registries."""
    return {"imagePullSecrets": [REGISTRY_PULL]} if _is_own(image, registry_server(registry)) else {}


def _is_own(image: str | None, server: str) -> bool:
    return image is not None and image.startswith(f"{server}/")


def _image(name: str, server: str, tag: str) -> str:
    return f"{server}/{_REPOSITORY}/{name}:{tag}"


def _values(name: str, tuning: Tuning, server: str) -> Values:
    values: Values = {
        "preset": tuning.preset,
        "method": tuning.method,
        "instanceType": tuning.instance_type,
        "input": _input(tuning, server),
        "output": _output(name, tuning, server),
    }
    if tuning.node_labels:
        values["nodeLabels"] = dict(tuning.node_labels)
    if tuning.config:
        values["config"] = parameters(tuning.method, tuning.config)
    return values


def _input(tuning: Tuning, server: str) -> Values:
    if tuning.data_image is not None:
        return {"image": tuning.data_image, **pull_secrets(tuning.data_image, server.partition(".")[0])}
    if tuning.data_volume_claim is not None:
        return {"volume": {"persistentVolumeClaim": {"claimName": tuning.data_volume_claim}}}
    return {"urls": list(tuning.data_urls)}


def _output(name: str, tuning: Tuning, server: str) -> Values:
    if tuning.output_volume_claim is not None:
        return {"volume": {"persistentVolumeClaim": {"claimName": tuning.output_volume_claim}}}
    secret = {} if tuning.push_secret_name is None else {"pushSecret": tuning.push_secret_name}
    return {"image": _image(name, server, tuning.output_tag), **secret}
