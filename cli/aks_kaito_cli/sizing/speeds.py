"""The speed of each model of an environment: measured by the user, or from public figures."""

from dataclasses import dataclass, replace

from aks_kaito.models import sizes
from aks_kaito.models.tables import KAITO
from aks_kaito.settings.model import Model
from aks_kaito_cli.sizing import hardware, kaito_status, metrics
from aks_kaito_cli.sizing.assumptions import Assumptions
from aks_kaito_cli.sizing.speed import Speed

# The proportions of a model without public figures, whose throughput is measured: 8 billion numbers on an A100.
_LIKE = ("llama-3.1-8b-instruct", "Standard_NC24ads_A100_v4")


@dataclass(frozen=True)
class Sources:
    """The figures that the user gives; empty if there are none.

    Attributes:
        tokens_per_second: Tokens of answers that a replica generates under full load.
        metrics: File or address of vLLM's metrics.
        kaito_status: JSON file of a Workspace or InferenceSet.
    """

    tokens_per_second: float = 0.0
    metrics: str = ""
    kaito_status: str = ""

    @property
    def given(self) -> list[str]:
        """The options that are given."""
        options = {
            "--tokens-per-second": self.tokens_per_second,
            "--metrics": self.metrics,
            "--kaito-status": self.kaito_status,
        }
        return [name for name, value in options.items() if value]


def public(model: Model, version: str, nodes: int | None) -> Speed | None:
    """Return the speed from public figures; None if there are none for this model or GPU."""
    if model.template is not None or model.mig_profile is not None:
        return None
    preset, size = KAITO[version].find(model.preset), sizes.hardware(model.instance_type)
    if preset is None or size is None:
        return None
    speed = hardware.of_model(preset.model, size, max(1, nodes or 1))
    seqs = model.vllm.get("max-num-seqs")
    if speed is None or not isinstance(seqs, int):
        return speed
    return replace(speed, max_answers=seqs)


def measured(model: Model, version: str, nodes: int | None, sources: Sources, assumed: Assumptions) -> Speed:
    """Return the speed with the proportions of public figures, and the throughput that was measured.

    Raises:
        ValueError: A file or an address has no usable figures.
    """
    speed = public(model, version, nodes) or _like()
    prompt, answer = assumed.prompt_tokens, assumed.answer_tokens
    if sources.metrics:
        return metrics.calibrated(speed, metrics.read(sources.metrics), prompt, answer)
    if sources.kaito_status:
        return kaito_status.calibrated(speed, sources.kaito_status)
    factor = sources.tokens_per_second / speed.most_tokens_per_second(prompt, answer)
    return speed.times(factor, f"--tokens-per-second {sources.tokens_per_second:g}")


def _like() -> Speed:
    name, size = _LIKE
    preset, gpus = KAITO["0.6.0"].find(name), sizes.hardware(size)
    found = hardware.of_model(preset.model, gpus, 1) if preset and gpus else None
    assert found is not None  # noqa: S101 - both are in the tables
    return found
