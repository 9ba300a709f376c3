"""Tags of resources: Azure's rules for them, and those that every resource of an environment gets.

See: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
"""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

MOST_TAGS = 50
# Storage accounts allow 128 characters, other resources 512.
_LONGEST_NAME = 128
_LONGEST_VALUE = 256
_RESERVED = ("microsoft", "azure", "windows")


def tags_of(environment: str, tags: dict[str, str]) -> dict[str, str]:
    """Return the tags of every resource: the user's, and `environment` unless they have one of that name."""
    ours = {"environment": environment}
    return {**tags, **{name: value for name, value in ours.items() if name not in {each.lower() for each in tags}}}


def _name(name: str) -> None:
    if not name.strip() or len(name) > _LONGEST_NAME or re.search(r"[<>%&\\?/]", name):
        raise ValueError(
            f"a tag's name has 1-{_LONGEST_NAME} characters without <>%&\\?/, not only spaces; not {name!r}"
        )
    if name.lower().startswith(_RESERVED):
        raise ValueError(f"a tag's name must not start with {', '.join(_RESERVED)}, which Azure reserves; not {name!r}")


def _distinct(names: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if first := seen.get(name.lower()):
            raise ValueError(f"names of tags must differ in more than upper and lower case; not {first!r} and {name!r}")
        seen[name.lower()] = name


def _tags(tags: dict[str, str]) -> dict[str, str]:
    for name, value in tags.items():
        _name(name)
        if len(value) > _LONGEST_VALUE:
            raise ValueError(f"a tag's value has at most {_LONGEST_VALUE} characters; not that of {name!r}")
    _distinct(tags)
    return tags


def _tag_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not name.strip() or '"' in name:
            raise ValueError(f"must be names of tags; not {name!r}")
    _distinct(names)
    return names


Tags = Annotated[dict[str, str], AfterValidator(_tags)]
TagNames = Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_tag_names)]
