"""The chat's public address: the ingress controller's, the DNS record, the certificate."""

import socket
from collections.abc import Callable, Iterator
from datetime import datetime

from aks_kaito.charts.ours import published
from aks_kaito.settings import Environment
from aks_kaito_cli.answers import Finding
from aks_kaito_cli.status.causes import Evidence, diagnose
from aks_kaito_cli.status.objects import Object, at, conditions, duration, line, listed, name, text, time
from aks_kaito_cli.status.reach import Cluster

Resolve = Callable[[str], set[str]]
_ADDRESS, _CERTIFICATE = "Address", "Certificate"
_DAY = 86400
# cert-manager renews 30 days before the end of Let's Encrypt's 90.
_LATE_DAYS = 14


def resolved(host: str) -> set[str]:
    """Return the addresses of a host name.

    Raises:
        OSError: It has none.
    """
    return {str(each[4][0]) for each in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}


def findings(
    cluster: Cluster, environment: Environment, words: dict[str, str], now: datetime, resolve: Resolve = resolved
) -> Iterator[Finding]:
    """Yield the findings on address, record and certificate of a published chat.

    `words` replaces the placeholders of the causes.
    """
    ingress = environment.settings.ingress
    if not published(ingress):
        return
    addresses = _addresses(cluster)
    yield _of_controller(cluster, addresses, words)
    yield _of_record(str(ingress.hostname), addresses, resolve)
    if environment.settings.workloads.cert_manager_enabled:
        yield from _of_certificates(cluster, words, now)


def _addresses(cluster: Cluster) -> set[str]:
    ingresses = [
        each for item in cluster.items("ingresses") for each in listed(item, "status", "loadBalancer", "ingress")
    ]
    gateways = [each for item in cluster.items("gateways") for each in listed(item, "status", "addresses")]
    found = {text(each, "ip") or text(each, "hostname") for each in ingresses} | {
        text(each, "value") for each in gateways
    }
    return found - {""}


def _of_controller(cluster: Cluster, addresses: set[str], words: dict[str, str]) -> Finding:
    if addresses:
        return Finding(_ADDRESS, "ingress controller", "ok", f"has {', '.join(sorted(addresses))}")
    if error := cluster.error("ingresses"):
        return Finding(_ADDRESS, "ingress controller", "unknown", error)
    evidence = [
        Evidence("address", line(f"{text(each, 'reason')} {text(each, 'message')}"), "event of the Service")
        for each in reversed((*cluster.items("service_events"), *cluster.items("events")))
        if text(each, "involvedObject", "kind") == "Service" and text(each, "type") == "Warning"
    ]
    found = diagnose([*evidence, Evidence("address", "no public address", "Ingress")])
    assert found is not None  # noqa: S101 - the last evidence has a cause
    detail = found.cause.sentence.format(**words)
    said = f" ({found.evidence.text})" if evidence else ""
    return Finding(_ADDRESS, "ingress controller", "blocker", f"{detail}{said}", found.cause.remedy.format(**words))


def _of_record(host: str, addresses: set[str], resolve: Resolve) -> Finding:
    record = f"create an A record for {host}" + (f" with {' or '.join(sorted(addresses))}" if addresses else "")
    try:
        found = resolve(host)
    except OSError:
        return Finding(_ADDRESS, f"record of {host}", "blocker", f"{host} has no address in the DNS", record)
    if addresses and not found & addresses:
        shown = ", ".join(sorted(found))
        detail = (
            f"{host} leads to {shown}, which is not the ingress controller's address; a proxy in front may be meant"
        )
        return Finding(_ADDRESS, f"record of {host}", "warning", detail, record)
    return Finding(_ADDRESS, f"record of {host}", "ok", f"leads to {', '.join(sorted(found))}")


def _of_certificates(cluster: Cluster, words: dict[str, str], now: datetime) -> Iterator[Finding]:
    if error := cluster.error("certificates"):
        yield Finding(_CERTIFICATE, "cert-manager", "unknown", error)
        return
    for each in cluster.items("certificates"):
        yield _of_certificate(cluster, each, words, now)
    if not cluster.items("certificates"):
        missing = "cert-manager is not installed" if cluster.answers["certificates"].absent else "there is none"
        yield Finding(
            _CERTIFICATE,
            "chat",
            "blocker",
            f"the chat has no certificate: {missing}",
            f"make deploy ENV={words['environment']} TAG=...",
        )


def _of_certificate(cluster: Cluster, certificate: Object, words: dict[str, str], now: datetime) -> Finding:
    subject, ready = name(certificate), conditions(certificate).get("Ready")
    end = time(at(certificate, "status", "notAfter"))
    if ready is not None and ready.true and (end is None or end > now):
        return _of_valid(subject, end, now, words)
    if end is not None and end <= now:
        detail = f"expired {duration((now - end).total_seconds())} ago"
        return Finding(_CERTIFICATE, subject, "blocker", detail, _renewal(words))
    created = time(at(certificate, "metadata", "creationTimestamp"))
    seconds = (now - created).total_seconds() if created else None
    found = diagnose(_evidence(cluster, certificate), seconds)
    if found is None:
        since = f" since {duration(seconds)}" if seconds is not None else ""
        return Finding(_CERTIFICATE, subject, "unknown", f"is being issued{since}")
    detail = f"{found.cause.sentence.format(**words)} ({found.evidence.text})"
    return Finding(_CERTIFICATE, subject, "blocker", detail, found.cause.remedy.format(**words))


def _of_valid(subject: str, end: datetime | None, now: datetime, words: dict[str, str]) -> Finding:
    if end is None:
        return Finding(_CERTIFICATE, subject, "ok", "is issued")
    days = (end - now).total_seconds() / _DAY
    if days < _LATE_DAYS:
        detail = f"ends in {days:.0f} days, and cert-manager should have renewed it"
        remedy = f"kubectl --namespace {words['namespace']} describe certificate {subject}"
        return Finding(_CERTIFICATE, subject, "warning", detail, remedy)
    return Finding(_CERTIFICATE, subject, "ok", f"is valid until {end:%Y-%m-%d}")


def _renewal(words: dict[str, str]) -> str:
    return f"kubectl --namespace {words['namespace']} describe certificates,orders.acme.cert-manager.io"


def _evidence(cluster: Cluster, certificate: Object) -> list[Evidence]:
    """Return the words about one certificate: of its Challenges, Orders and of itself."""
    own = name(certificate)
    found: list[Evidence] = []
    for kind in ("challenges", "orders"):
        for each in cluster.items(kind):
            if name(each).startswith(own):
                words = f"{text(each, 'status', 'state')} {text(each, 'status', 'reason')}"
                found.append(Evidence("certificate", line(words), f"{kind} {name(each)}"))
    found += [Evidence("certificate", each.text, f"Certificate {own}") for each in conditions(certificate).values()]
    return found
