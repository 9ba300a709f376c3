"""Environment files: their model, the rules between their keys, and the reader.

`environment` is the model of the whole file, with the tables in a module per group. `rules` checks keys against each
other. `reader` is the only module that opens files.
"""

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem, SettingsError
from aks_kaito.settings.reader import Environment, load, selected

__all__ = ["Environment", "Problem", "Settings", "SettingsError", "load", "selected"]
