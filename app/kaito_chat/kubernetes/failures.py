"""Classification of the reasons why a Workspace is not ready.

KAITO 0.6 copies errors into the conditions unchanged; 0.12 adds the reason that Karpenter or the kubelet gives. Both
quote Azure's error messages.

See: https://github.com/kaito-project/kaito/tree/v0.12.0/pkg/workspace/controllers
See: https://github.com/kaito-project/kaito/tree/v0.6.0/pkg/workspace/controllers
"""

import re
from enum import StrEnum


class Failure(StrEnum):
    """Reasons why a Workspace cannot become ready, as opposed to still being in progress."""

    QUOTA = "quota"  # the subscription's vCPU quota is exhausted
    SKU = "sku"  # the VM size is not available in the region
    CAPACITY = "capacity"  # Azure has no capacity for the VM size at present
    NO_RIGHT = "no_right"  # the provisioner lacks the permission to create nodes
    NODE_TIMED_OUT = "node_timed_out"
    NODE_LOST = "node_lost"
    GPU_DRIVER = "gpu_driver"  # the node exists, but its GPU is not usable yet
    NODE_FAILED = "node_failed"
    DOWNLOAD = "download"  # the download of the model failed
    IMAGE_PULL = "image_pull"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    EVICTED = "evicted"
    UNSCHEDULABLE = "unschedulable"
    SERVER_TIMED_OUT = "server_timed_out"
    BENCHMARK = "benchmark"
    FAILED = "failed"


OF_NODES = (
    Failure.QUOTA,
    Failure.SKU,
    Failure.CAPACITY,
    Failure.NO_RIGHT,
    Failure.NODE_TIMED_OUT,
    Failure.NODE_LOST,
    Failure.GPU_DRIVER,
    Failure.NODE_FAILED,
)
NO_SUCH_SIZE = (
    r"sku.?not.?available|not (available|supported) in (the |this )?(current |location|region)|invalid.{0,20}vm ?size"
    r"|all requested instance types were unavailable"
)
# The order matters: Azure's messages about quota also mention a failed allocation.
PATTERNS = tuple(
    (failure, re.compile(pattern, re.IGNORECASE))
    for failure, pattern in (
        (Failure.QUOTA, r"quota"),
        (Failure.SKU, NO_SUCH_SIZE),
        (Failure.CAPACITY, r"capacity|allocation ?failed|overconstrained"),
        (Failure.NO_RIGHT, r"authorization ?failed|unauthorized|forbidden|does not have authorization"),
        (Failure.NODE_TIMED_OUT, r"check nodeclaim status timed out|registration.?timeout|launch.?timeout"),
        (Failure.GPU_DRIVER, r"plugin"),
        (Failure.DOWNLOAD, r"modelmirror|model download|sas ?token"),
        (Failure.IMAGE_PULL, r"image ?pull|pull.{0,20}image|errimage|invalidimagename"),
        (Failure.OUT_OF_MEMORY, r"oom ?killed|out of memory"),
        (Failure.EVICTED, r"evicted|(disk|memory) ?pressure"),
        (Failure.UNSCHEDULABLE, r"unschedulable|insufficient nvidia\.com/gpu"),
        (Failure.CRASHED, r"crashloopbackoff|container ?(start ?error|failed to start)|failed to start"),
        (Failure.BENCHMARK, r"benchmark"),
        (Failure.SERVER_TIMED_OUT, r"deadline exceeded|is not progressing"),
        (Failure.NODE_FAILED, r"launch ?failed|failed to create (new nodes|nodeclaim)|node.{0,40}not found"),
    )
)
# Reasons of a step in progress.
IN_PROGRESS = re.compile(
    r"^(workspacePending|workspaceResourceCreated|CreateNodeClaimPending|AwaitingReconciliation|NodeClaimNotReady"
    r"|NodeNotReady|workspaceResourceStatusNotReady|WorkspaceInferenceStatusPending)$"
)


def failure_of(reason: str, message: str) -> Failure | None:
    """Classify a condition that is not true; return `None` while the step is in progress."""
    if IN_PROGRESS.match(reason):
        return None
    # A specific reason takes precedence: the message of a crash quotes its log, which can contain any text.
    by_reason = _named(reason)
    if by_reason not in (None, Failure.NODE_FAILED):
        return by_reason
    failed = Failure.FAILED if re.search(r"fail|error", f"{reason} {message}", re.IGNORECASE) else None
    return _named(message) or by_reason or failed


def _named(text: str) -> Failure | None:
    return next((failure for failure, pattern in PATTERNS if pattern.search(text)), None)
