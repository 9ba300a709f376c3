"""What must hold between several keys of an environment file, and what is only worth a warning."""

from aks_kaito.settings.rules.registry import RULES, WARNINGS, Context

# Importing these fills the two lists above.
from aks_kaito.settings.rules import addresses, cluster, ingress, kaito, services  # noqa: F401  isort: skip

__all__ = ["RULES", "WARNINGS", "Context"]
