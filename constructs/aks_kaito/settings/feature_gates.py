"""Defaults of the feature gates of the open-source KAITO, and the settings that need a gate.

See: https://github.com/kaito-project/kaito/blob/v0.12.0/pkg/featuregates/featuregates.go
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aks_kaito.settings.model import FeatureGate, Kaito, Model

DEFAULTS: Final[dict[FeatureGate, bool]] = {
    "vLLM": True,
    "disableNodeAutoProvisioning": False,
    "gatewayAPIInferenceExtension": False,
    "enableInferenceSetController": True,
    "enableMIG": False,
    "enableAccelerator": False,
    "enableMultiRoleInferenceController": False,
    "ModelMirror": False,
    "ModelStreaming": False,
    "enableBaseImageAutoUpgrade": False,
}
# The gates that a model needs: each with the key of the model that needs it, or with an empty text.
_NEEDED_BY_A_MODEL: Final[dict[FeatureGate, Callable[[Model], str]]] = {
    "vLLM": lambda model: "runtime" if model.template is None and model.runtime == "vllm" else "",
    # The chart of this project requests an InferenceSet for each model of the open-source KAITO.
    "enableInferenceSetController": lambda model: "preset" if model.template is None else "template",
    "enableMIG": lambda model: "mig_profile" if model.mig_profile is not None else "",
    "enableBaseImageAutoUpgrade": lambda model: "auto_upgrade" if model.auto_upgrade is not None else "",
}
# The gate that a gate needs. KAITO's controller exits without it.
NEEDED_BY_A_GATE: Final[dict[FeatureGate, FeatureGate]] = {"ModelStreaming": "ModelMirror"}


def needed(kaito: Kaito, models: Mapping[str, Model]) -> dict[FeatureGate, str]:
    """Return the gates that the settings need, each with the first reason: `kaito.KEY`, or the model and its key."""
    return dict(reversed(list(_needs(kaito, models))))


def _needs(kaito: Kaito, models: Mapping[str, Model]) -> Iterator[tuple[FeatureGate, str]]:
    if kaito.provisioner == "none":
        yield "disableNodeAutoProvisioning", 'kaito.provisioner = "none"'
    if kaito.model_mirror_enabled:
        yield "ModelMirror", "kaito.model_mirror_enabled = true"
        yield "ModelStreaming", "kaito.model_mirror_enabled = true"
    for gate, key_of in _NEEDED_BY_A_MODEL.items():
        for name, model in models.items():
            if key := key_of(model):
                yield gate, f"{key} of the model {name}"
