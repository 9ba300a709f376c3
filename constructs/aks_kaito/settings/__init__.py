"""What an environment file may say, and the reader that says what is wrong with one.

`environment` is the whole file, a model of one module per group of tables; `rules` is what must hold between
keys; `reader` is the only place that opens files.
"""

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem, SettingsError
from aks_kaito.settings.reader import Environment, load, selected

__all__ = ["Environment", "Problem", "Settings", "SettingsError", "load", "selected"]
