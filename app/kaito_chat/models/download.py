"""The remaining time of a model download, in the metrics of KAITO's downloader."""

import math

from prometheus_client.parser import text_string_to_metric_families

REMAINING = "kaito_model_download_remaining_seconds"


def remaining_seconds(metrics: str) -> float | None:
    """Return the first value of the metric; `None` if there is none, or it is no duration.

    Only its own lines are parsed: parsing megabytes of other metrics would block every conversation.

    Raises:
        ValueError: A line is malformed.
    """
    lines = (line for line in metrics.splitlines() if line.startswith(REMAINING))
    for family in text_string_to_metric_families("\n".join(lines)):
        for sample in family.samples:
            if sample.name == REMAINING:
                return sample.value if math.isfinite(sample.value) and sample.value >= 0 else None
    return None
