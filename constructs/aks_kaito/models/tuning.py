"""Presets that KAITO can tune, by version, and its default parameters of a tuning.

See: https://github.com/kaito-project/kaito/blob/v0.12.0/presets/workspace/models/transformer_runtime_tuning_parameters.go,
https://github.com/kaito-project/kaito/tree/v0.6.0/presets/workspace/models (SupportTuning)
"""

from collections.abc import Mapping
from typing import Any, Final

# GPU memory in GiB that KAITO states for a tuning of a preset. Its webhook does not check it.
_SINCE_0_6: Final = {
    "mistral-7b": 16,
    "phi-3-medium-128k-instruct": 80,
    "phi-3-medium-4k-instruct": 80,
    "phi-3-mini-128k-instruct": 72,
    "phi-3-mini-4k-instruct": 72,
    "phi-3.5-mini-instruct": 72,
    "phi-4": 70,
    "phi-4-mini-instruct": 72,
    "qwen2.5-coder-32b-instruct": 140,
    "qwen2.5-coder-7b-instruct": 24,
}
NEEDED_GIB: Final[Mapping[str, Mapping[str, int]]] = {
    "0.6.0": _SINCE_0_6 | {"falcon-40b": 90, "falcon-7b": 16, "phi-2": 16},
    "0.12.0": _SINCE_0_6,
}
Parameters = dict[str, dict[str, Any]]
_OF_BOTH: Final[Parameters] = {
    "ModelConfig": {"torch_dtype": "bfloat16", "local_files_only": True, "device_map": "auto"},
    "QuantizationConfig": {"load_in_4bit": False},
    "LoraConfig": {"r": 8, "lora_alpha": 8, "lora_dropout": 0.0},
    "TrainingArguments": {
        "output_dir": "/mnt/results",
        "ddp_find_unused_parameters": False,
        "save_strategy": "no",
        "per_device_train_batch_size": 1,
    },
    "DataCollator": {"mlm": True},
    "DatasetConfig": {"shuffle_dataset": True, "train_test_split": 1},
}
_OF_QLORA: Final[Parameters] = {
    "QuantizationConfig": {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_compute_dtype": "bfloat16",
        "bnb_4bit_use_double_quant": True,
    },
}


def parameters(method: str, given: Mapping[Any, Mapping[str, Any]]) -> Parameters:
    """Return KAITO's default parameters of a method with the given ones in them: KAITO itself merges none."""
    base = _OF_BOTH | (_OF_QLORA if method == "qlora" else {})
    return {section: values | dict(given.get(section, {})) for section, values in base.items()}
