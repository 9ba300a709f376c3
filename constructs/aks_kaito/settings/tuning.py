"""The tables `[tuning.NAME]`: a LoRA adapter that KAITO trains from a preset and your data."""

import ipaddress
import math
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, WithJsonSchema

from aks_kaito.settings.fields import DnsLabel, InstanceType, Preset, Section, distinct
from aks_kaito.settings.labels import NodeLabels
from aks_kaito.settings.model_parts import AdapterImage, ImageTag

# See: https://github.com/kaito-project/kaito/blob/v0.12.0/api/v1beta1/tuning_config_validation.go
ConfigSection = Literal[
    "ModelConfig", "QuantizationConfig", "LoraConfig", "TrainingArguments", "DataCollator", "DatasetConfig"
]


def _sections(values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Refuse values that would not reach KAITO as they are: JSON has no dates or NaN, Helm rounds large numbers."""
    for section, given in values.items():
        for name, value in given.items():
            if not _is_exact(value):
                allowed = "must be text, numbers below 2^53, true, false or lists of them"
                raise ValueError(f"{allowed}; not {section}.{name}")
    return values


def _is_exact(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_exact, value))
    if isinstance(value, dict):
        return all(map(_is_exact, value.values()))
    if isinstance(value, int):
        return abs(value) < _INEXACT
    return isinstance(value, str) or (isinstance(value, float) and math.isfinite(value))


# Helm reads numbers as floats of 64 bits.
_INEXACT = 2**53
ConfigSections = Annotated[
    dict[ConfigSection, dict[str, Any]],
    AfterValidator(_sections),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"enum": list(get_args(ConfigSection))},
            "additionalProperties": {"type": "object"},
        }
    ),
]


def _data_url(value: str) -> str:
    """Refuse what KAITO refuses, and what a shell would split: it downloads the URLs in one."""
    allowed = "must be an https:// URL on the default port with a public host, without spaces or quotes"
    try:
        parts = urlsplit(value)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise ValueError(allowed) from error
    plain = value.isascii() and value.isprintable() and not set(value) & set(" '\"\\`$*[]{}<>|^")
    named = "." in host and not host.endswith((".localhost", ".internal", ".")) and not parts.username
    if parts.scheme != "https" or port not in (None, 443) or not plain or not named or not _is_public(host):
        raise ValueError(allowed)
    return value


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        # Parts of an IPv4 address may be missing, octal or hexadecimal; no top-level domain is a number.
        last = host.rpartition(".")[2]
        return not last.isdigit() and not last.startswith("0x")


DataUrl = Annotated[str, Field(max_length=2000), AfterValidator(_data_url)]


class Tuning(Section):
    """A tuning: KAITO trains a LoRA adapter once, on a GPU node of its own, and stores it as an image.

    A model uses it as `[models.NAME.adapters.ADAPTER]` with `tuning = "NAME"`. Another value of any key except
    `enabled` is another tuning, which runs from the beginning. The GPU node stays, and is billed, until
    `enabled = false`.

    See: https://kaito-project.github.io/kaito/docs/tuning
    """

    enabled: bool = True
    """Run the tuning. Set `false` when it has succeeded: its Workspace is deleted, its result stays."""
    preset: Preset
    """Short name of the KAITO preset to tune, one of those that KAITO can tune; none of them is gated."""
    method: Literal["lora", "qlora"] = "lora"
    """Method: LoRA, or QLoRA, which loads the weights in 4 bits and needs less GPU memory."""
    instance_type: InstanceType = "Standard_NC24ads_A100_v4"
    """VM size of the GPU node, always one; the subscription needs quota for its family."""
    node_labels: NodeLabels = {}
    """Labels of the GPU node; by default one label of its own."""
    data_urls: Annotated[tuple[DataUrl, ...], Field(strict=False, max_length=100), AfterValidator(distinct)] = ()
    """Addresses of the data, downloaded over https; or `data_image`, or `data_volume_claim`."""
    data_image: AdapterImage | None = None
    """Image with the data in its folder `/data`. The environment's registry needs no secret."""
    data_volume_claim: DnsLabel | None = None
    """PersistentVolumeClaim with the data in the chat's namespace."""
    output_tag: ImageTag = "1"
    """Tag of the result, the image `tuning/NAME` in the environment's registry. Change it with any other key, or the
    new result replaces the old one under the models that use it."""
    output_volume_claim: DnsLabel | None = None
    """PersistentVolumeClaim for the result in the chat's namespace, instead of an image."""
    push_secret_name: DnsLabel | None = None
    """Existing Secret (`kubernetes.io/dockerconfigjson`) with the right to push the image; by default one that the
    deployment makes with a workload identity."""
    config: ConfigSections = {}
    """Parameters that differ from KAITO's default ones, by its sections, as `[tuning.NAME.config.LoraConfig]`."""
