"""Reader of the pod templates that an environment file names: YAML files beside it, in place of presets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.model import DEFAULT
from aks_kaito.settings.problems import Problem, display_path

Templates = dict[str, Mapping[str, Any]]


def read(settings: Settings, folder: Path) -> tuple[Templates, list[Problem]]:
    """Return the templates by the models' keys, and the problems of their files."""
    templates: Templates = {}
    problems: list[Problem] = []
    for name, model in settings.all_models.items():
        if model.template is None:
            continue
        begin = "model" if name == DEFAULT and settings.has_short_model else f"models.{name}"
        try:
            templates[name] = _template(folder / model.template)
        except ValueError as error:
            problems.append(Problem(f"{begin}.template", model.template, str(error)))
    return templates, problems


def _template(path: Path) -> dict[str, Any]:
    """Return the template in a file. Raises ValueError with the reason if it has none."""
    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(
            f"must be a file beside the environment file: {display_path(path)}: {error.strerror}"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"must be UTF-8 text: {display_path(path)}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"must be YAML: {display_path(path)}: {' '.join(str(error).split())}") from None
    spec = found.get("spec") if isinstance(found, dict) else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    if not isinstance(containers, list) or not containers:
        raise ValueError(f"must be a pod template with spec.containers: {display_path(path)}")
    if text := _unsafe(found):
        raise ValueError(f"must not contain ${{ or %{{, which Terraform would interpret: {text[:60]!r}")
    return dict(found)


def _unsafe(value: object) -> str:
    """Return a text with Terraform's template syntax, at any depth, or an empty one."""
    if isinstance(value, dict):
        return next((text for item in value.items() for part in item if (text := _unsafe(part))), "")
    if isinstance(value, list):
        return next((text for item in value if (text := _unsafe(item))), "")
    return value if isinstance(value, str) and ("${" in value or "%{" in value) else ""
