"""The types of values of `[models.NAME]`: vLLM's parameters, adapters, upgrades, and the profile in the chat."""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from aks_kaito.settings.fields import DnsLabel, Matching, Section

# KAITO and this project set these parameters themselves: by another key, or to what probes and Services expect.
_OWN_PARAMETERS = {
    "max-model-len": "max_model_len is its key",
    "host": "KAITO sets it",
    "port": "KAITO sets it: Services and probes expect 5000",
    "model": "preset is its key",
    "enable-lora": "adapters is its key",
    "lora-modules": "adapters is its key",
}


def _parameters(values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
            raise ValueError(f"must have names as vLLM's command line without --, such as max-num-seqs; not {name!r}")
        if name in _OWN_PARAMETERS:
            raise ValueError(f"must not contain {name}: {_OWN_PARAMETERS[name]}")
        if not isinstance(value, str | int | float | bool):
            # A TOML table or list; pydantic expects ValueError.
            raise ValueError(f"must be text, numbers, true or false; not the {type(value).__name__} of {name}")  # noqa: TRY004
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"must have finite numbers; not the {value} of {name}")
    return values


VllmParameters = Annotated[
    dict[str, Any],
    AfterValidator(_parameters),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        }
    ),
]
TemplatePath = Annotated[
    str, Matching(r"(?!.*\.\.)[-\w][-\w./]{0,199}\.ya?ml", "must be a relative path of a .yaml file without '..'")
]
# See: https://github.com/kaito-project/kaito/blob/v0.12.0/pkg/utils/mig/mig.go
# fmt: off
MigProfile = Literal[
    "1g.5gb", "1g.6gb", "1g.10gb", "1g.12gb", "1g.18gb", "1g.20gb", "1g.23gb", "1g.24gb", "1g.35gb", "1g.45gb",
    "2g.10gb", "2g.12gb", "2g.20gb", "2g.24gb", "2g.35gb", "2g.45gb",
    "3g.20gb", "3g.40gb", "3g.47gb", "3g.48gb", "3g.71gb", "3g.90gb",
    "4g.20gb", "4g.24gb", "4g.40gb", "4g.47gb", "4g.48gb", "4g.71gb", "4g.90gb",
    "7g.40gb", "7g.80gb", "7g.94gb", "7g.96gb", "7g.141gb", "7g.180gb",
]
# fmt: on
Icon = Annotated[
    str,
    Field(max_length=512),
    Matching(
        # As the application checks it: a space or a semicolon would end the source in the page's policy.
        r"/?public(/[A-Za-z0-9_-][A-Za-z0-9._~-]*)+"
        r"|https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/%@+-]*)?(\?[A-Za-z0-9._~%=&+-]*)?",
        "must be an https:// URL, or a path below /public, such as /public/icon.svg",
    ),
]


AdapterImage = Annotated[
    str, Matching(r"[a-z0-9][-a-zA-Z0-9._:/@]{1,400}", "must be an image, such as a.azurecr.io/b:1")
]
ImageTag = Annotated[
    str, Matching(r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}", "must be a tag: letters, digits and '_.-', at most 128")
]
TuningName = Annotated[
    str,
    Matching(
        r"[a-z]([-a-z0-9]{0,18}[a-z0-9])?",
        "names of tunings are at most 20 lower-case letters, digits and '-', a letter first",
    ),
]


class Adapter(Section):
    """A LoRA adapter of a model: an image, a volume or a tuning with its weights.

    See: https://kaito-project.github.io/kaito/docs/lora-adapters
    """

    image: AdapterImage | None = None
    """Image that contains the weights in its folder `/data`. The environment's registry needs no secret."""
    volume_claim: DnsLabel | None = None
    """PersistentVolumeClaim with the weights in the chat's namespace, instead of an image."""
    tuning: TuningName | None = None
    """Name of a `[tuning.NAME]`, whose result the adapter is. Add it when the tuning has succeeded."""
    tuning_tag: ImageTag | None = None
    """Tag of an earlier result of the tuning; by default its `output_tag`."""
    strength: Annotated[float, Field(ge=0, le=1, strict=False)] | None = None
    """Multiplier of the weights, for `runtime = "transformers"`; vLLM has none."""


Adapters = Annotated[dict[DnsLabel, Adapter], Field(max_length=10)]


# Fields of a cron expression as KAITO's parser reads them, each with its bounds and names; Sunday is 0 only.
# See: https://pkg.go.dev/github.com/robfig/cron/v3#hdr-CRON_Expression_Format
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)


def _cron(value: str) -> str:
    for text, (field, low, high, names) in zip(value.split(" "), _CRON_FIELDS, strict=True):
        numbers = {name: str(low + index) for index, name in enumerate(names)}
        for part in text.split(","):
            span, slash, step = part.partition("/")
            ends = [] if span == "*" else [numbers.get(end.lower(), end) for end in span.split("-")]
            is_span = len(ends) <= 2 and all(end.isdecimal() and low <= int(end) <= high for end in ends)  # noqa: PLR2004
            is_ordered = is_span and [int(end) for end in ends] == sorted(int(end) for end in ends)
            if not is_ordered or (slash and not (step.isdecimal() and int(step))):
                raise ValueError(
                    f"must have {low} to {high} as the {field}, or *, a range, a list, a step; not {part!r}"
                )
    return value


class AutoUpgrade(Section):
    """Upgrade of the model server's image after an upgrade of KAITO.

    See: https://github.com/kaito-project/kaito/blob/v0.12.0/docs/proposals/20260507-auto-upgrade-base-image.md
    """

    strategy: Literal["InPlace", "Surge"] = "InPlace"
    """`InPlace` restarts each copy; `Surge` starts a new one first, which needs more GPU nodes."""
    schedule: (
        Annotated[
            str,
            Matching(
                r"([-\d*/,A-Za-z]+ ){4}[-\d*/,A-Za-z]+", 'must be a cron expression of five fields, such as "0 2 * * 6"'
            ),
            AfterValidator(_cron),
        ]
        | None
    ) = None
    """Start of the maintenance window, as a cron expression in UTC; by default at any time."""
    duration_hours: Annotated[int, Field(ge=1, le=168)] = 4
    """Duration of the maintenance window, in hours."""


class Starter(Section):
    """A question that a new conversation suggests."""

    label: Annotated[str, Field(min_length=1, max_length=100)]
    """Text of the button."""
    message: Annotated[str, Field(min_length=1, max_length=4000)]
    """The question."""
    icon: Icon | None = None
    """Picture of the button."""


Starters = Annotated[tuple[Starter, ...], Field(strict=False, max_length=10)]
