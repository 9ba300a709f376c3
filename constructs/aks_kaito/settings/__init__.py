"""Environment files: their model, the rules between their keys, and the reader.

`environment` is the model of the whole file, with the tables in a module per group. `rules` checks keys against each
other. `reader` reads one file; `selection` chooses files by name and by environment variables.
"""

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem, SettingsError
from aks_kaito.settings.reader import Environment, load
from aks_kaito.settings.selection import named, names, prevents_destroy, selected

__all__ = [
    "Environment",
    "Problem",
    "Settings",
    "SettingsError",
    "load",
    "named",
    "names",
    "prevents_destroy",
    "selected",
]
