"""The tables of KAITO and its model: `[kaito]` and `[model]`."""

from typing import Annotated, Literal

from pydantic import Field

from aks_kaito.settings.fields import GpuVmSize, KaitoVersion, Preset, Section


class Kaito(Section):
    """The AI toolchain operator add-on (KAITO).

    See: https://learn.microsoft.com/azure/aks/ai-toolchain-operator
    """

    enabled: bool = True
    """Enable the add-on. Delete all Workspaces before you disable it."""
    version: KaitoVersion = "0.6.0"
    """KAITO version that the add-on ships, which determines the accepted presets, GPU sizes and the number of nodes.
    Azure documents 0.6.0 and may run a newer one: `make deploy` compares this key with the image in the cluster."""
    provisioner_identity: Literal["managed", "customer"] = "managed"
    """Owner of the GPU provisioner's identity: AKS, or in older clusters an identity in the node resource group."""


class Model(Section):
    """The model that KAITO serves, and its GPU nodes.

    Another preset, size or number of nodes is another model, which starts from the beginning. Start it as the standby,
    then exchange both (docs/how-to/change-the-model.md).

    See: https://github.com/kaito-project/kaito/tree/main/presets
    """

    preset: Preset = "phi-4-mini-instruct"
    """Short name of the KAITO preset; KAITO 0.12 also takes a Hugging Face id, such as `Qwen/Qwen3.5-9B`. While
    the model runs, a change is refused unless the new one is a ready standby."""
    instance_type: GpuVmSize = "Standard_NC24ads_A100_v4"
    """VM size of the GPU nodes that KAITO creates; the subscription needs quota for its family."""
    node_count: Annotated[int, Field(ge=1, le=10)] = 1
    """Number of GPU nodes that share the model, on KAITO 0.6, which shares Llama and the large DeepSeek models only.
    KAITO 0.12 counts the nodes itself; `make synth` shows them."""
    max_model_len: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Length of the context in tokens (vLLM's `max-model-len`), by default what fits. KAITO 0.6 requires it with
    several nodes; KAITO 0.12 counts the nodes of a new Workspace with it. A change restarts the model server."""
    standby_preset: Preset | None = None
    """Preset of a standby: a second model that starts beside the first one, which answers meanwhile. By default the
    model's. There is a standby if one of the three keys is set; its GPU nodes are billed too."""
    standby_instance_type: GpuVmSize | None = None
    """VM size of the standby's GPU nodes; by default the model's."""
    standby_node_count: Annotated[int, Field(ge=1, le=10)] | None = None
    """Number of GPU nodes that share the standby; by default the model's."""
    interruption_allowed: bool = False
    """Accept a deployment that replaces a running model by one that is not ready: no answers for about 20 minutes."""

    def standby(self) -> "Model | None":
        """Return preset, size and number of nodes of the standby, if there is one."""
        keys = {
            "preset": self.standby_preset,
            "instance_type": self.standby_instance_type,
            "node_count": self.standby_node_count,
        }
        given = {key: value for key, value in keys.items() if value is not None}
        return self.model_copy(update=given) if given else None
