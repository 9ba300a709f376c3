"""Reads from a Workspace's conditions why it is not ready.

KAITO 0.6 passes errors on as they are. 0.12 writes Karpenter's reason, or the kubelet's, beside the message. Both quote
what Azure answered.

See: https://github.com/kaito-project/kaito/tree/v0.12.0/pkg/workspace/controllers
See: https://github.com/kaito-project/kaito/tree/v0.6.0/pkg/workspace/controllers
"""

import re
from enum import StrEnum


class Hindrance(StrEnum):
    """Reasons why a Workspace is not ready, beyond the time that it takes."""

    QUOTA = "quota"  # the subscription's quota of cores is used up
    SKU = "sku"  # the size of node is not offered in the region
    CAPACITY = "capacity"  # Azure has no such node to give now
    NO_RIGHT = "no_right"  # the provisioner may not create nodes
    NODE_TIMED_OUT = "node_timed_out"
    NODE_LOST = "node_lost"
    GPU_DRIVER = "gpu_driver"  # the node is there, and its GPU is not usable yet
    NODE_FAILED = "node_failed"
    DOWNLOAD = "download"  # the model is not downloaded
    IMAGE_PULL = "image_pull"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    EVICTED = "evicted"
    UNSCHEDULABLE = "unschedulable"
    SERVER_TIMED_OUT = "server_timed_out"
    BENCHMARK = "benchmark"
    FAILED = "failed"


OF_NODES = (
    Hindrance.QUOTA,
    Hindrance.SKU,
    Hindrance.CAPACITY,
    Hindrance.NO_RIGHT,
    Hindrance.NODE_TIMED_OUT,
    Hindrance.NODE_LOST,
    Hindrance.GPU_DRIVER,
    Hindrance.NODE_FAILED,
)
NO_SUCH_SIZE = (
    r"sku.?not.?available|not (available|supported) in (the |this )?(current |location|region)|invalid.{0,20}vm ?size"
    r"|all requested instance types were unavailable"
)
# In this order: a message of Azure's about quota also says that an allocation failed.
PATTERNS = tuple(
    (hindrance, re.compile(pattern, re.IGNORECASE))
    for hindrance, pattern in (
        (Hindrance.QUOTA, r"quota"),
        (Hindrance.SKU, NO_SUCH_SIZE),
        (Hindrance.CAPACITY, r"capacity|allocation ?failed|overconstrained"),
        (Hindrance.NO_RIGHT, r"authorization ?failed|unauthorized|forbidden|does not have authorization"),
        (Hindrance.NODE_TIMED_OUT, r"check nodeclaim status timed out|registration.?timeout|launch.?timeout"),
        (Hindrance.GPU_DRIVER, r"plugin"),
        (Hindrance.DOWNLOAD, r"modelmirror|model download|sas ?token"),
        (Hindrance.IMAGE_PULL, r"image ?pull|pull.{0,20}image|errimage|invalidimagename"),
        (Hindrance.OUT_OF_MEMORY, r"oom ?killed|out of memory"),
        (Hindrance.EVICTED, r"evicted|(disk|memory) ?pressure"),
        (Hindrance.UNSCHEDULABLE, r"unschedulable|insufficient nvidia\.com/gpu"),
        (Hindrance.CRASHED, r"crashloopbackoff|container ?(start ?error|failed to start)|failed to start"),
        (Hindrance.BENCHMARK, r"benchmark"),
        (Hindrance.SERVER_TIMED_OUT, r"deadline exceeded|is not progressing"),
        (Hindrance.NODE_FAILED, r"launch ?failed|failed to create (new nodes|nodeclaim)|node.{0,40}not found"),
    )
)
# Messages of a step that goes well.
GOES_WELL = re.compile(
    r"^(workspacePending|workspaceResourceCreated|CreateNodeClaimPending|AwaitingReconciliation|NodeClaimNotReady"
    r"|NodeNotReady|workspaceResourceStatusNotReady|WorkspaceInferenceStatusPending)$"
)


def hindrance_of(reason: str, message: str) -> Hindrance | None:
    """The hindrance that a condition names that is not true; `None` while it only waits."""
    if GOES_WELL.match(reason):
        return None
    # A crash's message quotes its log, in which anything may stand: a reason that says something goes first.
    by_reason = _named(reason)
    if by_reason not in (None, Hindrance.NODE_FAILED):
        return by_reason
    failed = Hindrance.FAILED if re.search(r"fail|error", f"{reason} {message}", re.IGNORECASE) else None
    return _named(message) or by_reason or failed


def _named(text: str) -> Hindrance | None:
    return next((hindrance for hindrance, pattern in PATTERNS if pattern.search(text)), None)
