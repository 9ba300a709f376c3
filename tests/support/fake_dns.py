"""A fake DNS server on loopback: a resolver, and the parent's server that a referral comes from."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

_TTL = 60


class FakeDns:
    """The server and its records.

    Attributes:
        records: By "name type" without the last dot, such as "kaito.dev NS": the texts of its records.
        referrals: Name servers by zone, which a question without recursion gets; an empty list is no delegation.
        rcodes: By name, a status instead of the answer.
        silent: Names about which nothing is answered; without recursion, "*" is silent about all.
        address: ADDRESS:PORT of the server.
    """

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.referrals: dict[str, list[str]] = {}
        self.rcodes: dict[str, dns.rcode.Rcode] = {}
        self.silent: set[str] = set()
        self.address = ""
        self.asked: list[str] = []

    def answer(self, question: dns.message.Message) -> dns.message.Message | None:
        """Return the answer to a question; none if it is to be lost."""
        name, kind = question.question[0].name, question.question[0].rdtype
        text = name.to_text().rstrip(".")
        recursive = bool(question.flags & dns.flags.RD)
        self.asked.append(f"{text} {dns.rdatatype.to_text(kind)}")
        if text in self.silent or (not recursive and "*" in self.silent):
            return None
        answer = dns.message.make_response(question)
        if text in self.rcodes:
            answer.set_rcode(self.rcodes[text])
        elif not recursive:
            self._refer(answer, name, text)
        else:
            self._resolve(answer, text, dns.rdatatype.to_text(kind))
        return answer

    def _refer(self, answer: dns.message.Message, name: dns.name.Name, text: str) -> None:
        servers = [f"{each}." for each in self.referrals.get(text, [])]
        if servers:
            answer.authority.append(dns.rrset.from_text(name, _TTL, "IN", "NS", *servers))
        else:
            answer.flags |= dns.flags.AA
            answer.set_rcode(dns.rcode.NXDOMAIN)

    def _resolve(self, answer: dns.message.Message, text: str, kind: str) -> None:
        if alias := self.records.get(f"{text} CNAME"):
            answer.answer.append(dns.rrset.from_text(f"{text}.", _TTL, "IN", "CNAME", *alias))
            text = alias[0].rstrip(".")
        if values := self.records.get(f"{text} {kind}"):
            answer.answer.append(dns.rrset.from_text(f"{text}.", _TTL, "IN", kind, *values))
        elif not any(key.partition(" ")[0].endswith(text) for key in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)


class _Server(socketserver.ThreadingUDPServer):
    daemon_threads = True
    fake: FakeDns


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        data, connection = self.request
        answer: Any = self.server.fake.answer(dns.message.from_wire(data))
        if answer is not None:
            connection.sendto(answer.to_wire(), self.client_address)


@contextmanager
def running() -> Iterator[FakeDns]:
    """Run a fake until the end of the block; it knows the zone `dev` and its server."""
    fake = FakeDns()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.fake = fake
        fake.address = f"127.0.0.1:{server.server_address[1]}"
        fake.records = {"dev SOA": ["ns.dev. host.dev. 1 2 3 4 5"], "dev NS": ["ns.dev."], "ns.dev A": ["127.0.0.1"]}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join(5)
