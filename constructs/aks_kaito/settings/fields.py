"""The types of values in environment files, each with a check and a message.

Every type refuses values that Azure or Kubernetes would refuse, and its message names the allowed values.
"""

import base64
import binascii
import re
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, core_schema

from aks_kaito.catalog import CATALOG
from aks_kaito.models.sizes import canonical


class Section(BaseModel):
    """A table of an environment file: frozen, strict about types, unknown keys forbidden."""

    # Without use_attribute_docstrings, which parses the source of all models on each run; tools/docs.py switches it on.
    # Each model is built as a part of the whole, not once more by itself.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


@dataclass(frozen=True)
class Matching:
    """A check that the whole string matches `pattern`; `allowed` is the message if it does not."""

    pattern: str
    allowed: str

    def __get_pydantic_core_schema__(self, source: type[str], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check after pydantic has checked the type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Add the pattern to the schema for editors."""
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value, re.ASCII):
            raise ValueError(self.allowed)
        return value


def _guid(value: str) -> str:
    try:
        parsed = str(UUID(value))
    except ValueError:
        parsed = ""
    if parsed != value.lower():
        raise ValueError("must be a GUID, such as 11111111-2222-3333-4444-555555555555")
    return parsed


def _ssh_public_key(value: str) -> str:
    """Check that the encoded part of an OpenSSH public key has the type of the first word."""
    kind, _, rest = value.strip().partition(" ")
    try:
        body = base64.b64decode(rest.partition(" ")[0], validate=True)
        length = struct.unpack(">I", body[:4])[0]
        named = body[4 : 4 + length].decode("ascii")
    except (binascii.Error, struct.error, UnicodeDecodeError, ValueError):
        named = ""
    if kind not in ("ssh-rsa", "ssh-ed25519") or named != kind:
        raise ValueError("must be an OpenSSH public key (ssh-rsa or ssh-ed25519), as in a .pub file")
    return value.strip()


def _location(value: str) -> str:
    region = CATALOG.regions.get(value)
    if region is not None and region.retired_on is None:
        return value
    if region is not None:
        raise ValueError(f"was retired by Azure on {region.retired_on} (catalog.toml)")
    name = re.sub(r"[\s_-]", "", value).lower()
    if name in CATALOG.regions:
        raise ValueError(f"must be {name}, as `az account list-locations` spells it")
    clouds = (cloud for prefix, cloud in CATALOG.sovereign_regions.items() if name.startswith(prefix))
    if cloud := next(clouds, None):
        raise ValueError(f"must be a region of the public cloud; this one belongs to {cloud}, which is not supported")
    raise ValueError("must be an Azure region as `az account list-locations` names it, such as westeurope")


def _kaito_version(value: str) -> str:
    if value not in CATALOG.kaito_versions:
        raise ValueError(f"must be one of {', '.join(CATALOG.kaito_versions)} (catalog.toml)")
    return value


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a list with duplicates."""
    if len(set(values)) != len(values):
        raise ValueError("must not contain duplicates")
    return values


Guid = Annotated[str, AfterValidator(_guid)]
SshPublicKey = Annotated[str, AfterValidator(_ssh_public_key)]
Location = Annotated[str, AfterValidator(_location)]
Zones = Annotated[tuple[Literal["1", "2", "3"], ...], Field(strict=False, max_length=3), AfterValidator(distinct)]
# A name that the file's author chooses for an entry, which keeps the entry's Terraform address stable.
_Name = Annotated[str, Matching(r"[a-z0-9][-a-z0-9]{0,39}", "names are lower-case letters, digits and '-', at most 40")]
Principals = dict[_Name, Guid]
Hostname = Annotated[
    str,
    Matching(
        r"(?=.{4,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
        "must be a host name in lower case, such as chat.contoso.com",
    ),
]
EmailAddress = Annotated[str, Matching(r"[^@\s\"\\]+@[-\w]+(\.[-\w]+)+", "must be an e-mail address")]
EmailAddresses = dict[_Name, EmailAddress]
# See: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
DnsLabel = Annotated[
    str,
    Matching(
        r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
        "must be lower-case letters, digits and '-', at most 63 (a DNS label)",
    ),
]
VmSize = Annotated[
    str,
    Matching(
        r"[Ss][Tt][Aa][Nn][Dd][Aa][Rr][Dd]_[A-Za-z][-\w]{1,40}", "must be an Azure VM size, such as Standard_D4ads_v5"
    ),
    AfterValidator(CATALOG.spelled),
    AfterValidator(canonical),
]
"""A VM size, compared without regard to case and stored in Azure's spelling."""
InstanceType = Annotated[
    str,
    Matching(
        r"([Ss][Tt][Aa][Nn][Dd][Aa][Rr][Dd]_[A-Za-z][-\w]{1,60})?",
        "must be an Azure VM size, such as Standard_NC24ads_A100_v4",
    ),
    AfterValidator(CATALOG.spelled),
    AfterValidator(canonical),
]
"""A VM size of KAITO's nodes in Azure's spelling, or an empty string for existing nodes."""
# See: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers
KeyVaultSecretName = Annotated[
    str, Matching(r"[-0-9a-zA-Z]{1,127}", "must be the name of a Key Vault secret: letters, digits and '-'")
]
Preset = Annotated[
    str,
    Matching(
        r"[a-z0-9][-a-z0-9.]{0,62}|[A-Za-z0-9][-\w.]{0,95}/[A-Za-z0-9][-\w.]{0,95}",
        "must be a preset's short name, or a Hugging Face id such as Qwen/Qwen3.5-9B",
    ),
]
KaitoVersion = Annotated[str, AfterValidator(_kaito_version)]
KubernetesVersion = Annotated[str, Matching(r"1\.\d{1,2}(\.\d{1,2})?", 'must be a Kubernetes version, such as "1.35"')]
ResourceGroupName = Annotated[
    str,
    Matching(r"[-\w.()]{0,89}[-\w()]", "must be a resource group's name: letters, digits and _-.(), at most 90"),
]
DayOfWeek = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
TimeOfDay = Annotated[str, Matching(r"([01]\d|2[0-3]):[0-5]\d", 'must be a time of day as HH:MM, such as "02:00"')]


class Effect(StrEnum):
    """The effect of changing a key on an environment that is deployed."""

    REPLACES = "replaces or removes resources"
    REFUSED = "is refused by Azure"
    LOWER_REFUSED = "to a lower value, or to `false`, is refused"
    IGNORED = "has no effect on existing resources"


EFFECT = "x-change-after-first-deployment"


def fixed(default: Any = ..., effect: Effect = Effect.REPLACES) -> Any:  # noqa: ANN401  (stands for pydantic.Field)
    """Mark a key that cannot freely change after the first deployment, and set its default; without one, require it."""
    return Field(default=default, json_schema_extra={EFFECT: effect.value})
