"""Models and GPUs: KAITO's tables per version, and its decisions about a model on a VM size.

`tables` reads `kaito_catalog.toml`, `sizes` joins it with Azure's facts in `catalog.toml`, `estimator` counts nodes as
newer KAITO does, `plan` decides whether a model fits and how many nodes KAITO creates, `copies` counts those of all
copies of a model.
"""

from aks_kaito.models.copies import Served
from aks_kaito.models.plan import Plan, Wanted, plan

__all__ = ["Plan", "Served", "Wanted", "plan"]
