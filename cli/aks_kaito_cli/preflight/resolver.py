"""Questions to the public DNS: delegation at the parent, addresses of a host, and CAA records."""

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

# The resolver to ask instead of the machine's own, such as 9.9.9.9 or 127.0.0.1:5353.
VARIABLE = "AKS_KAITO_DNS_SERVER"
_DNS_PORT = 53
_ATTEMPT_SECONDS = 1
_SECONDS = 2.5
_MOST_PARENT_SERVERS = 2


class Caa(NamedTuple):
    """The CAA records that decide for a name.

    Attributes:
        domain: The name that has them: the name in question, or one above it; empty if no name has any.
        records: Flags, tag in lower case, and value of each.
    """

    domain: str
    records: tuple[tuple[int, str, str], ...]


class Resolver:
    """A resolver with bounded waits. Threads may share it.

    Its methods raise `dns.exception.DNSException` if the DNS does not answer.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Choose the resolver.

        Raises:
            ValueError: The variable has no address.
            DNSException: The machine has no resolver.
        """
        server = variables.get(VARIABLE)
        self._resolver = dns.resolver.Resolver(configure=not server)
        self._resolver.timeout, self._resolver.lifetime = _ATTEMPT_SECONDS, _SECONDS
        if server:
            address, self._resolver.port = _address(server)
            self._resolver.nameservers = [address]

    def name_servers(self, zone: str) -> set[str]:
        """Return the name servers to which a zone is delegated; none if it is not.

        The parent's own servers are asked, because a resolver returns the list of the zone itself. Where a firewall
        stops that, the resolver is asked.
        """
        name = dns.name.from_text(zone)
        question = dns.message.make_query(name, "NS")
        question.flags &= ~dns.flags.RD
        for address in self._parent_servers(name):
            try:
                port = self._resolver.port
                answer, _ = dns.query.udp_with_fallback(question, address, timeout=_ATTEMPT_SECONDS, port=port)
            except (dns.exception.DNSException, OSError):
                continue
            if answer.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
                sets = [each for each in (*answer.answer, *answer.authority) if each.rdtype == dns.rdatatype.NS]
                return {_text(each.target) for found in sets if found.name == name for each in found}
        return set(self._values(zone, "NS"))

    def addresses(self, host: str) -> set[str]:
        """Return the IPv4 addresses of a host, aliases followed; none if it has no record."""
        return set(self._values(host, "A"))

    def caa(self, host: str) -> Caa:
        """Return the CAA records of the host or the closest name above it that has some.

        See: https://www.rfc-editor.org/rfc/rfc8659#section-3
        """
        name = dns.name.from_text(host)
        while name != dns.name.root:
            try:
                answer = self._resolver.resolve(name, "CAA")
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                name = name.parent()
                continue
            records = [(each.flags, each.tag.decode().lower(), each.value.decode()) for each in answer]
            return Caa(_text(name), tuple(sorted(records)))
        return Caa("", ())

    def _values(self, name: str, kind: str) -> list[str]:
        try:
            return [each.to_text().rstrip(".").lower() for each in self._resolver.resolve(f"{name}.", kind)]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []

    def _parent_servers(self, name: dns.name.Name) -> list[str]:
        """Return addresses of some servers of the zone above a name."""
        parent = dns.resolver.zone_for_name(name.parent(), resolver=self._resolver)
        servers = self._values(_text(parent), "NS")[:_MOST_PARENT_SERVERS]
        return [address for server in servers for address in self._values(server, "A")[:1]]


def _address(server: str) -> tuple[str, int]:
    """Return address and port of ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT."""
    host, separator, port = server.rpartition(":")
    if not separator or (":" in host and not host.endswith("]")):
        host, port = server, str(_DNS_PORT)
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError:
        raise ValueError(f"{VARIABLE}={server}: must be an IP address, with or without :PORT") from None


def _text(name: dns.name.Name) -> str:
    return name.to_text().rstrip(".").lower()
