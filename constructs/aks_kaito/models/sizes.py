"""GPU sizes: Azure's facts from `catalog.toml`, joined with KAITO's tables."""

from fnmatch import fnmatchcase

from aks_kaito.catalog import CATALOG
from aks_kaito.models.tables import KAITO, Size

_NEWEST_FIRST = tuple(reversed(tuple(KAITO.values())))
_KNOWN = {*CATALOG.gpu_sizes, *CATALOG.retired_gpu_sizes, *(name for tables in _NEWEST_FIRST for name in tables.sizes)}
_SPELLINGS: dict[str, str] = {name.lower(): name for name in _KNOWN}


def canonical(name: str) -> str:
    """Return the usual spelling of a known size, and another name unchanged: Azure ignores case, KAITO 0.6 does not."""
    return _SPELLINGS.get(name.lower(), name)


def hardware(name: str) -> Size | None:
    """Return the GPUs of a size from KAITO's newest table that has it."""
    azure = CATALOG.gpu_sizes.get(name)
    known_as = azure.kaito_name if azure and azure.kaito_name else name
    for tables in _NEWEST_FIRST:
        if known_as in tables.sizes:
            return tables.sizes[known_as]
    return None


def unsupported(name: str) -> str | None:
    """Return the reason why no deployment can use a size that Azure may have; None if there is none."""
    known = CATALOG.unsupported_gpu_sizes.items()
    return next((each.reason for pattern, each in known if fnmatchcase(name.lower(), pattern.lower())), None)


def may_be_new(name: str, version: str) -> bool:
    """Return whether a size is unknown here and admitted by this KAITO version, which does not check its memory."""
    is_n_series = name.lower().startswith("standard_n")
    is_known = name in CATALOG.gpu_sizes or CATALOG.retired_gpu_size(name) or unsupported(name) is not None
    return is_n_series and not is_known and not CATALOG.kaito_versions[version].presets_need_known_size


def admits_templates(name: str) -> bool:
    """Return whether KAITO admits a pod template on a size: one of Azure's N series or, without a GPU, of its D series.

    See: https://github.com/kaito-project/kaito/blob/v0.12.0/api/v1beta1/workspace_validation.go (D_SERIES_PREFIX)
    """
    return name.lower().startswith(("standard_n", "standard_d"))


def accepted(version: str) -> list[str]:
    """Return the sizes that Azure allocates and on which this KAITO version serves presets."""
    known_only = CATALOG.kaito_versions[version].presets_need_known_size
    return [name for name in CATALOG.gpu_sizes if not known_only or name in KAITO[version].sizes]
