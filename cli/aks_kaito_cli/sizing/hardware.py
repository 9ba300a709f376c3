"""The speed of a model on a GPU from public figures: memory bandwidth and arithmetic of the GPU, size of the model.

Each step reads all weights and the KV cache, and computes one token for each answer. Shares of the GPU's peak that
vLLM reaches are fitted to the public measurements in `MEASUREMENTS`, which a test compares with this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aks_kaito.models.tables import KAITO, Model, Size
from aks_kaito_cli.sizing.speed import MAX_NUM_SEQS, Speed

_GIB = 2**30
_BANDWIDTH_SHARE = 0.77
_ARITHMETIC_SHARE = 0.4
_PROMPT_ARITHMETIC_SHARE = 0.6
# Several GPUs of a node, of what each reaches alone.
# See: https://www.e2enetworks.com/blog/NVIDIA-a30-vs-v100-for-llM-inference-vllm-tgi-tensorrt-llm-benchmark-7B-70B-Models.md
_SHARED_SHARE = 0.7
# Of a GPU's memory: vLLM's default of gpu-memory-utilization.
_MEMORY_SHARE = 0.9


@dataclass(frozen=True)
class Gpu:
    """A GPU: bytes per second of its memory, and 16-bit operations per second, without sparsity."""

    bandwidth: float
    operations: float
    source: str


GPUS: Mapping[str, Gpu] = {
    "NVIDIA T4": Gpu(320e9, 65e12, "https://www.nvidia.com/en-us/data-center/tesla-t4/"),
    "NVIDIA V100": Gpu(900e9, 112e12, "https://www.nvidia.com/en-us/data-center/v100/"),
    "NVIDIA A10": Gpu(600e9, 125e12, "https://www.nvidia.com/en-us/data-center/products/a10-gpu/"),
    "NVIDIA A100": Gpu(1935e9, 312e12, "https://www.nvidia.com/en-us/data-center/a100/"),
    "NVIDIA H100": Gpu(3350e9, 835e12, "https://www.nvidia.com/en-us/data-center/h100/"),
    "NVIDIA H200": Gpu(4800e9, 835e12, "https://www.nvidia.com/en-us/data-center/h200/"),
}
"""GPUs by KAITO's names; of an H100 and H200 the lower figures of its variants."""


@dataclass(frozen=True)
class Measurement:
    """A public measurement of vLLM.

    Attributes:
        gpu: The GPU; weights are in bytes, of 16 bits each.
        answers: Answers at once.
        tokens_per_second: Tokens of answers in a second.
    """

    gpu: Gpu
    gpu_name: str
    model: str
    weights: float
    token_bytes: int
    answers: int
    prompt_tokens: int
    answer_tokens: int
    tokens_per_second: float
    source: str


_SWEEP_A100 = "https://johnmusgrave.com/p/vllm-throughput-latency-sweep-on"
_SWEEP_H100 = "https://yobitelcomm.github.io/bench/recipes/concurrency-sweep/"
_SWEEP_4090 = "https://mushfiqrahman.dev/?p=1668"
_A40 = "https://databasemart.com/blog/vllm-gpu-benchmark-a40"
_PEAK_H100 = "https://www.morphllm.com/vllm-benchmarks"
_A100_40 = Gpu(1555e9, 312e12, _SWEEP_A100)
_H100_SXM = Gpu(3350e9, 989e12, _SWEEP_H100)
_RTX_4090 = Gpu(1008e9, 165e12, _SWEEP_4090)
_A40_GPU = Gpu(696e9, 150e12, _A40)
_LLAMA = ("Llama 3.1 8B", 16.06e9, 131_072)
_MISTRAL = ("Mistral 7B", 14.5e9, 131_072)
MEASUREMENTS = (
    Measurement(_A100_40, "A100 40 GB", *_LLAMA, 1, 1024, 128, 75, _SWEEP_A100),
    Measurement(_A100_40, "A100 40 GB", *_LLAMA, 8, 1024, 128, 495, _SWEEP_A100),
    Measurement(_H100_SXM, "H100 SXM", *_LLAMA, 1, 64, 200, 122, _SWEEP_H100),
    Measurement(_H100_SXM, "H100 SXM", *_LLAMA, 4, 64, 200, 580, _SWEEP_H100),
    Measurement(_H100_SXM, "H100 SXM", *_LLAMA, 16, 64, 200, 1384, _SWEEP_H100),
    Measurement(_H100_SXM, "H100 SXM", *_LLAMA, 256, 64, 200, 12_500, _PEAK_H100),
    Measurement(_RTX_4090, "RTX 4090", *_MISTRAL, 4, 256, 128, 210, _SWEEP_4090),
    Measurement(_RTX_4090, "RTX 4090", *_MISTRAL, 16, 256, 128, 644, _SWEEP_4090),
    Measurement(_RTX_4090, "RTX 4090", *_MISTRAL, 32, 256, 128, 975, _SWEEP_4090),
    Measurement(_A40_GPU, "A40", *_LLAMA, 50, 100, 443, 1017, _A40),
)
"""Public measurements, the first of each GPU with the fewest answers; lengths that a source leaves open are assumed."""


def of_gpu(gpu: Gpu, weights: float, token_bytes: float, cache_tokens: float, source: str) -> Speed:
    """Return the speed of weights, in bytes of 16-bit numbers, on a GPU."""
    bandwidth = gpu.bandwidth * _BANDWIDTH_SHARE
    # Two operations for each number of two bytes.
    operations_per_token = weights
    per_answer = operations_per_token / (gpu.operations * _ARITHMETIC_SHARE)
    return Speed(
        step_seconds=weights / bandwidth + per_answer,
        step_seconds_per_answer=per_answer,
        step_seconds_per_cached_token=token_bytes / bandwidth,
        prompt_tokens_per_second=gpu.operations * _PROMPT_ARITHMETIC_SHARE / operations_per_token,
        max_answers=MAX_NUM_SEQS,
        cache_tokens=cache_tokens,
        source=source,
    )


def of_model(model: Model, size: Size, nodes: int) -> Speed | None:
    """Return the speed of one replica; None if the GPU has no public figures here, or no room for a conversation.

    Several nodes share the weights one after the other, so that they add memory and no speed.
    """
    gpu = GPUS.get(size.gpu_model)
    numbers = KAITO["0.12.0"].estimator
    if gpu is None or numbers is None:
        return None
    weights = model.weights_gib * _GIB
    reserve = numbers.base_gib * _GIB * size.gpus * nodes
    room = size.memory_gib * _GIB * nodes * _MEMORY_SHARE - weights - reserve
    if room <= 0:
        return None
    many = 1.0 if size.gpus == 1 else size.gpus * _SHARED_SHARE
    together = Gpu(gpu.bandwidth * many, gpu.operations * many, gpu.source)
    count = f"{size.gpus} × " if size.gpus > 1 else ""
    source = f"public figures of {count}{size.gpu_model}"
    return of_gpu(together, weights, model.token_bytes, room / model.token_bytes, source)
