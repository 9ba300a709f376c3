"""The types of IPv4 addresses and ranges in environment files, with the ranges that have a special meaning."""

import ipaddress
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

# Ranges that are not public, by what they are.
# See: https://www.iana.org/assignments/iana-ipv4-special-registry
_NOT_PUBLIC = {
    ipaddress.IPv4Network(cidr): words
    for cidr, words in (
        ("0.0.0.0/8", "addresses of this host"),
        ("10.0.0.0/8", "private addresses"),
        ("100.64.0.0/10", "shared addresses of carrier-grade NAT"),
        ("127.0.0.0/8", "loopback addresses"),
        ("168.63.129.16/32", "the address of Azure's platform"),
        ("169.254.0.0/16", "link-local addresses"),
        ("172.16.0.0/12", "private addresses"),
        ("192.0.0.0/24", "addresses of the IETF's protocols"),
        ("192.0.2.0/24", "addresses for documentation"),
        ("192.168.0.0/16", "private addresses"),
        ("198.18.0.0/15", "addresses for benchmarks"),
        ("198.51.100.0/24", "addresses for documentation"),
        ("203.0.113.0/24", "addresses for documentation"),
        ("224.0.0.0/4", "multicast addresses"),
        ("240.0.0.0/4", "reserved addresses"),
    )
}
# Source that stands for the cluster's own nodes in the API server's allow-list.
# See: https://learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges
NODES_ONLY = "0.0.0.0/32"
# The smallest range that is a range for the firewall of a storage account; shorter ones are single addresses to it.
# See: https://learn.microsoft.com/azure/storage/common/storage-network-security-limitations
_LONGEST_PREFIX_OF_A_RULE = 30


def network(text: str) -> ipaddress.IPv4Network:
    """Parse an IPv4 range in CIDR notation. Raises ValueError if it is none or host bits are set."""
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as error:
        message = "must be an IPv4 range in CIDR notation with zero host bits, such as 10.240.0.0/16"
        raise ValueError(f"{message} ({error})") from None


def source(text: str) -> ipaddress.IPv4Network:
    """Parse an address or a range as a range."""
    return network(text if "/" in text else f"{text}/32")


def firewall_rules(sources: Sequence[str]) -> list[str]:
    """Return sources as the firewalls of Azure's services take them: ranges of two addresses or one as addresses."""
    rules: list[str] = []
    for text in sources:
        parsed = source(text)
        short = parsed.prefixlen > _LONGEST_PREFIX_OF_A_RULE
        rules += [str(address) for address in parsed] if short else [text]
    return list(dict.fromkeys(rules))


def _cidr(value: str) -> str:
    if "/" not in value:
        raise ValueError("must be an IPv4 range in CIDR notation, such as 10.240.0.0/16")
    return str(network(value))


def _address(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError("must be an IPv4 address, such as 172.16.0.10") from None


def _public(value: str) -> str:
    """Check a public address or range, since Azure's firewalls accept no other, and return its usual spelling."""
    parsed = _source_of_a_rule(value)
    if parsed.prefixlen == 0:
        raise ValueError("must not be the whole internet; use an empty list instead")
    for special, words in _NOT_PUBLIC.items():
        if parsed.overlaps(special):
            raise ValueError(f"must be a public IPv4 address or range; {special} are {words}")
    return str(parsed) if "/" in value else value


def _source_of_a_rule(value: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(value if "/" in value else f"{value}/32")
    except ValueError as error:
        message = (
            "must be a public IPv4 address, or a range in CIDR notation with zero host bits, such as 52.174.1.0/24"
        )
        raise ValueError(f"{message} ({error})") from None


def _public_or_nodes(value: str) -> str:
    return NODES_ONLY if str(_source_of_a_rule(value)) == NODES_ONLY else _public(value)


def _no_source_twice(values: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[ipaddress.IPv4Network, str] = {}
    for value in values:
        if first := seen.get(source(value)):
            raise ValueError(f"must not contain the same address or range twice: {first} and {value}")
        seen[source(value)] = value
    return values


def _nodes_alone(values: tuple[str, ...]) -> tuple[str, ...]:
    if NODES_ONLY in values and len(values) > 1:
        raise ValueError(f"must contain nothing but {NODES_ONLY}, which means the nodes only, or not contain it")
    return values


Cidr = Annotated[str, AfterValidator(_cidr)]
"""An IPv4 range such as `10.240.0.0/16`."""
IpAddress = Annotated[str, AfterValidator(_address)]
PublicSource = Annotated[str, AfterValidator(_public)]
AllowedSources = Annotated[tuple[PublicSource, ...], Field(strict=False), AfterValidator(_no_source_twice)]
"""Public addresses or ranges, none of them twice."""
ApiServerSource = Annotated[str, AfterValidator(_public_or_nodes)]
ApiServerSources = Annotated[
    tuple[ApiServerSource, ...], Field(strict=False), AfterValidator(_no_source_twice), AfterValidator(_nodes_alone)
]
"""As `AllowedSources`, or 0.0.0.0/32 alone for the nodes only."""
