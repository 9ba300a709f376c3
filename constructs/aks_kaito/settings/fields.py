"""The types of values in environment files, each with a check and a message.

Every type refuses values that Azure or Kubernetes would refuse, and its message names the allowed values.
"""

import base64
import binascii
import ipaddress
import re
import struct
from collections.abc import Callable
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
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


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


def network(text: str) -> ipaddress.IPv4Network:
    """Parse an IPv4 range in CIDR notation. Raises ValueError if it is none or host bits are set."""
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as error:
        message = "must be an IPv4 range in CIDR notation with zero host bits, such as 10.240.0.0/16"
        raise ValueError(f"{message} ({error})") from None


def _cidr(value: str) -> str:
    if "/" not in value:
        raise ValueError("must be an IPv4 range in CIDR notation, such as 10.240.0.0/16")
    return str(network(value))


def _address(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError("must be an IPv4 address, such as 172.16.0.10") from None


def _allowed_source(value: str) -> str:
    """Check a public address or range; Azure's firewalls accept no other."""
    source = network(value if "/" in value else f"{value}/32")
    if source.prefixlen == 0:
        raise ValueError("must not be the whole internet; use an empty list instead")
    if source.is_private:
        raise ValueError("must be a public IPv4 address or range; Azure's firewalls refuse private ones")
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
    if value not in CATALOG.regions.names:
        raise ValueError("must be an Azure region as `az account list-locations` names it, such as westeurope")
    return value


def _kaito_version(value: str) -> str:
    if value not in CATALOG.kaito_versions:
        raise ValueError(f"must be one of {', '.join(CATALOG.kaito_versions)} (catalog.toml)")
    return value


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a list with duplicates."""
    if len(set(values)) != len(values):
        raise ValueError("must not contain duplicates")
    return values


def _labels(check: Callable[[str], bool], allowed: str) -> Callable[[dict[str, str]], dict[str, str]]:
    def validate(labels: dict[str, str]) -> dict[str, str]:
        for key, value in labels.items():
            if not check(key) or not re.fullmatch(r"([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?", value):
                raise ValueError(f"{allowed}; not {key!r} = {value!r}")
        return labels

    return validate


def _label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    fits = re.fullmatch(r"[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?", name) is not None
    return fits and (not slash or re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", prefix) is not None)


# See: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
_LONGEST_TAG_NAME = 128
_LONGEST_TAG_VALUE = 256


def _tags(tags: dict[str, str]) -> dict[str, str]:
    for name, value in tags.items():
        if not 1 <= len(name) <= _LONGEST_TAG_NAME or re.search(r"[<>%&\\?/]", name) or len(value) > _LONGEST_TAG_VALUE:
            raise ValueError(
                f"a tag's name has 1-{_LONGEST_TAG_NAME} characters without <>%&\\?/, "
                f"its value at most {_LONGEST_TAG_VALUE}; not {name!r}"
            )
    return tags


Cidr = Annotated[str, AfterValidator(_cidr)]
"""An IPv4 range such as `10.240.0.0/16`."""
IpAddress = Annotated[str, AfterValidator(_address)]
AllowedSources = Annotated[
    tuple[Annotated[str, AfterValidator(_allowed_source)], ...], Field(strict=False), AfterValidator(distinct)
]
Guid = Annotated[str, AfterValidator(_guid)]
SshPublicKey = Annotated[str, AfterValidator(_ssh_public_key)]
Location = Annotated[str, AfterValidator(_location)]
Zones = Annotated[tuple[Literal["1", "2", "3"], ...], Field(strict=False, max_length=3), AfterValidator(distinct)]
# See: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
NodeLabels = Annotated[
    dict[str, str],
    AfterValidator(_labels(_label_key, "must be Kubernetes labels of at most 63 characters each")),
]
Tags = Annotated[dict[str, str], Field(max_length=50), AfterValidator(_tags)]
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
VmSize = Annotated[str, Matching(r"Standard_[A-Z]\w{1,40}", "must be an Azure VM size, such as Standard_D4ads_v5")]
GpuVmSize = Annotated[
    str,
    Matching(
        r"[Ss][Tt][Aa][Nn][Dd][Aa][Rr][Dd]_[A-Za-z]\w{1,60}",
        "must be an Azure VM size, such as Standard_NC24ads_A100_v4",
    ),
    AfterValidator(canonical),
]
"""A VM size with GPUs, in the catalog's spelling."""
Preset = Annotated[
    str,
    Matching(
        r"[a-z0-9][-a-z0-9.]{0,62}|[A-Za-z0-9][-\w.]{0,95}/[A-Za-z0-9][-\w.]{0,95}",
        "must be a preset's short name, or a Hugging Face id such as Qwen/Qwen3.5-9B",
    ),
]
# See: https://learn.microsoft.com/azure/aks/use-node-taints
NodeTaint = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9][-\w./]{0,252}=[-\w.]{0,63}:(NoSchedule|PreferNoSchedule|NoExecute)",
        "must be a taint such as workload=chat:NoSchedule",
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
