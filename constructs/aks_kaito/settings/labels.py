"""The types of node labels and node taints in environment files, whose keys have one syntax.

See: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from aks_kaito.settings.fields import Matching

_NAME = r"[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?"
_DOMAIN_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_KEY = rf"((?=[^/]{{1,253}}/){_DOMAIN_LABEL}(\.{_DOMAIN_LABEL})*/)?{_NAME}"
_VALUE = rf"({_NAME})?"
# AKS sets these labels itself, and refuses prefixes of Azure and Kubernetes except those that the kubelet may set.
# See: https://learn.microsoft.com/azure/aks/use-labels#reserved-system-labels
_RESERVED_LABELS = {"accelerator", "agentpool", "storageprofile", "storagetier"}
_RESERVED_LABEL_PREFIXES = ("kubernetes.azure.com", "kubernetes.io", "k8s.io")
_FREE_LABEL_PREFIXES = ("kubelet.kubernetes.io", "node.kubernetes.io")
# AKS adds the taints of this prefix itself, such as that of Spot nodes.
_RESERVED_TAINT_PREFIX = "kubernetes.azure.com"


def _is_reserved_label(key: str) -> bool:
    prefix, _, name = key.rpartition("/")
    if not prefix:
        return name.lower() in _RESERVED_LABELS
    if prefix in _FREE_LABEL_PREFIXES:
        return name == "instance-type"
    return any(prefix == each or prefix.endswith(f".{each}") for each in _RESERVED_LABEL_PREFIXES)


def _labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if _is_reserved_label(key) or not _is_label(key, value):
            raise ValueError(
                "must be Kubernetes labels of at most 63 characters each, without the names that AKS reserves "
                "(agentpool, accelerator, storageprofile, storagetier, and the prefixes kubernetes.azure.com/ and "
                f"kubernetes.io/); not {key!r} = {value!r}"
            )
    return labels


def _is_label(key: str, value: str) -> bool:
    return all(re.fullmatch(pattern, text, re.ASCII) for pattern, text in ((_KEY, key), (_VALUE, value)))


def _taint(taint: str) -> str:
    if taint.startswith(f"{_RESERVED_TAINT_PREFIX}/"):
        raise ValueError(f"must not have the prefix {_RESERVED_TAINT_PREFIX}/, whose taints AKS adds itself")
    return taint


def _distinct(taints: tuple[str, ...]) -> tuple[str, ...]:
    keys = [(taint.partition("=")[0], taint.rpartition(":")[2]) for taint in taints]
    for key, effect in keys:
        if keys.count((key, effect)) > 1:
            raise ValueError(f"must have one taint of each key and effect, not two of {key} with {effect}")
    return taints


NodeLabels = Annotated[dict[str, str], AfterValidator(_labels)]
# See: https://learn.microsoft.com/azure/aks/use-node-taints
NodeTaint = Annotated[
    str,
    Matching(
        rf"{_KEY}={_VALUE}:(NoSchedule|PreferNoSchedule|NoExecute)",
        "must be a taint such as workload=chat:NoSchedule, with the key and value of a label",
    ),
    AfterValidator(_taint),
]
NodeTaints = Annotated[tuple[NodeTaint, ...], Field(strict=False), AfterValidator(_distinct)]
