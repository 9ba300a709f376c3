"""Rules on the routing of questions through a Gateway inside the cluster."""

from collections.abc import Iterator
from typing import Final

from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule

_GATE: Final = "gatewayAPIInferenceExtension"


@rule("kaito", "model", "models", "cluster.gateway_api_enabled", "ingress.mode")
def gateway_of_models_is_possible(context: Context) -> Iterator[Problem]:
    """A Gateway of the models has InferenceSets of vLLM, and an implementation in the cluster."""
    settings = context.settings
    kaito = settings.kaito
    if kaito.routing == "service":
        return
    if not kaito.enabled:
        allowed = 'must be "service" while kaito.enabled = false: there is no model to route to'
        yield Problem("kaito.routing", kaito.routing, allowed)
        return
    if not kaito.is_open_source:
        allowed = 'needs kaito.distribution = "helm": the add-on has no InferenceSets, and the chat itself distributes'
        yield Problem("kaito.routing", kaito.routing, f"{allowed} the questions among its Workspaces")
    if kaito.feature_gates.get(_GATE):
        allowed = 'must be false, or left out, with kaito.routing = "gateway": KAITO would create a second pool of each'
        yield Problem(f"kaito.feature_gates.{_GATE}", kaito.feature_gates[_GATE], f"{allowed} model, with Flux")
    if not settings.has_gateway_api:
        allowed = 'needs cluster.gateway_api_enabled = true, or ingress.mode = "gateway"'
        yield Problem("kaito.routing", kaito.routing, allowed)
    if all(model.template is not None or model.runtime != "vllm" for model in settings.all_models.values()):
        allowed = 'needs a model with a preset and runtime = "vllm", whose metrics the endpoint picker reads'
        yield Problem("kaito.routing", kaito.routing, allowed)
