"""Effects of a helm upgrade: objects that helm deletes, keeps, creates and changes from one release to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.rendering import CHART, SERVED, Object, render

_POLICY = "helm.sh/resource-policy"
_HOOK = "helm.sh/hook"
_GONE = object()


@dataclass(frozen=True)
class Upgrade:
    """Objects of two releases as `Kind/name`, or `Kind.group/name` of a monitor; hooks are no part of a release."""

    deleted: frozenset[str]
    """Objects that helm deletes, before it waits for the new ones."""
    left: frozenset[str]
    """Objects that are no part of the new release and stay in the cluster: `helm.sh/resource-policy: keep`."""
    created: frozenset[str]
    unchanged: frozenset[str]
    changed: dict[str, tuple[str, ...]]
    """Dotted paths that differ, of each object that helm changes."""

    def changes(self, *ignored: str) -> dict[str, tuple[str, ...]]:
        """Return the changed paths of each object, without those that begin with an ignored path."""
        found = {
            name: tuple(path for path in paths if not path.startswith(ignored)) for name, paths in self.changed.items()
        }
        return {name: paths for name, paths in found.items() if paths}


def upgrade(
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    old_chart: Path = CHART,
    chart: Path = CHART,
    release: str = "demo",
    api_versions: tuple[str, ...] = SERVED,
) -> Upgrade:
    """Render two releases and compare them; `old_chart` is the chart of the first one."""
    options: dict[str, Any] = {"release": release, "api_versions": api_versions}
    return compare(render(before, chart=old_chart, **options), render(after, chart=chart, **options))


def compare(before: list[Object], after: list[Object]) -> Upgrade:
    """Compare the objects of two releases as helm does: by kind and name."""
    old, new = _by_name(before), _by_name(after)
    gone = old.keys() - new.keys()
    left = frozenset(name for name in gone if _annotations(old[name]).get(_POLICY) == "keep")
    paths = {name: tuple(sorted(differences(old[name], new[name]))) for name in old.keys() & new.keys()}
    return Upgrade(
        deleted=frozenset(gone) - left,
        left=left,
        created=frozenset(new.keys() - old.keys()),
        unchanged=frozenset(name for name, found in paths.items() if not found),
        changed={name: found for name, found in sorted(paths.items()) if found},
    )


def differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """Return the dotted paths at which two values differ; `[2]` is the index of a list's item."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            name = f"{path}.{key}" if path else str(key)
            yield from differences(before.get(key, _GONE), after.get(key, _GONE), name)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old, new = (items[index] if index < len(items) else _GONE for items in (before, after))
            yield from differences(old, new, f"{path}[{index}]")
    elif before != after:
        yield path


def _by_name(objects: list[Object]) -> dict[str, Object]:
    return {_name(each): each for each in objects if _HOOK not in _annotations(each)}


def _name(each: Object) -> str:
    """Return kind and name; two operators have monitors of one kind, so these have their group too."""
    group = each["apiVersion"].partition("/")[0]
    kind = f"{each['kind']}.{group}" if each["kind"].endswith("Monitor") else each["kind"]
    return f"{kind}/{each['metadata']['name']}"


def _annotations(each: Object) -> dict[str, str]:
    return each["metadata"].get("annotations") or {}
