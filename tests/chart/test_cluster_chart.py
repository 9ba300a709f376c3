"""The chart of the cluster's prerequisites: issuers, a Gateway, and the wait for KAITO."""

import copy
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from aks_kaito import __version__
from support.project import ROOT
from support.rendering import KUBERNETES, Object, RenderError, at, case, merged, names, one, render
from support.upgrades import compare
from support.validation import check_core, check_custom, restricted

CHART = ROOT / "charts" / "kaito-cluster"


def made(*changes: dict[str, Any], helm: str = "helm", kube_version: str = "1.35") -> list[Object]:
    """Return the objects of the case `everything` with changes."""
    values = merged(case("everything", CHART), *changes)
    return render(values, helm=helm, kube_version=kube_version, namespace="gateways", chart=CHART)


@pytest.mark.parametrize("kubernetes", KUBERNETES)
def test_every_object_is_valid(kubernetes: str) -> None:
    objects = made(kube_version=kubernetes)
    check_core(objects, kubernetes)
    assert {kind for _, kind in check_custom(objects)} == {"ClusterIssuer", "Gateway", "HTTPRoute"}


def test_both_helms_make_the_same() -> None:
    first, second = (made(helm=helm) for helm in ("helm", "helm3"))
    assert sorted(first, key=str) == sorted(second, key=str)


def test_by_default_nothing_is_made() -> None:
    assert render({}, chart=CHART) == []


def test_everything() -> None:
    job = one(made(), "Job")["metadata"]["name"]
    assert names(made()) == {
        ("ClusterIssuer", "letsencrypt"),
        ("ClusterIssuer", "letsencrypt-dns"),
        ("ClusterIssuer", "letsencrypt-dns-staging"),
        ("ClusterIssuer", "letsencrypt-staging"),
        ("Gateway", "kaito-chat"),
        ("HTTPRoute", "kaito-chat-https"),
        ("Job", job),
        ("Role", "await-kaito"),
        ("RoleBinding", "await-kaito"),
        ("ServiceAccount", "await-kaito"),
    }


def test_the_mirror_makes_a_storage_class_and_a_service_account() -> None:
    objects = render(case("mirror", CHART), chart=CHART)
    check_core(objects, "1.35")
    assert names(objects) == {("ServiceAccount", "kaito-model-streamer"), ("StorageClass", "kaito-model-mirror")}
    with pytest.raises(RenderError, match="clientId"):
        render(merged(case("mirror", CHART), at("modelMirror.clientId", "")), chart=CHART)


def solver(objects: list[Object], name: str) -> dict[str, Any]:
    """Return the only solver of an issuer."""
    (found,) = one(objects, "ClusterIssuer", name)["spec"]["acme"]["solvers"]
    return dict(found)


def test_issuers_prove_a_host_through_what_publishes_it() -> None:
    parent = {"name": "kaito-chat", "namespace": "gateways", "kind": "Gateway"}
    anywhere = at("tolerations", [])
    assert solver(made(anywhere), "letsencrypt") == {"http01": {"gatewayHTTPRoute": {"parentRefs": [parent]}}}
    nginx = made(anywhere, at("issuers.ingressClassName", "nginx"))
    assert solver(nginx, "letsencrypt-staging") == {"http01": {"ingress": {"ingressClassName": "nginx"}}}
    zone = solver(made(), "letsencrypt-dns")["dns01"]["azureDNS"]
    assert zone["managedIdentity"] == {"clientID": "00000000-0000-0000-0000-000000000002"}
    assert (zone["resourceGroupName"], zone["hostedZoneName"]) == ("dns", "example.com")


def test_every_pod_tolerates_what_the_nodes_are_tainted_with() -> None:
    tolerations = case("everything", CHART)["tolerations"]
    assert one(made(), "Job")["spec"]["template"]["spec"]["tolerations"] == tolerations
    for way, changes in (("gatewayHTTPRoute", []), ("ingress", [at("issuers.ingressClassName", "nginx")])):
        answers = solver(made(*changes), "letsencrypt")["http01"][way]
        assert answers["podTemplate"] == {"spec": {"tolerations": tolerations}}
    assert "tolerations" not in one(made(at("tolerations", [])), "Job")["spec"]["template"]["spec"]


def test_with_a_zone_alone_hosts_are_proved_by_records() -> None:
    objects = made(at("gateway.enabled", False))
    assert [each["metadata"]["name"] for each in objects if each["kind"] == "ClusterIssuer"] == [
        "letsencrypt-dns",
        "letsencrypt-dns-staging",
    ]


def test_issuers_need_a_way_to_prove_a_host() -> None:
    with pytest.raises(RenderError, match=r"issuers\.enabled needs issuers\.ingressClassName"):
        made(at("gateway.enabled", False), at("issuers.dns.enabled", False))


def test_the_two_servers_are_lets_encrypts() -> None:
    servers = {
        each["metadata"]["name"]: each["spec"]["acme"]["server"] for each in made() if each["kind"] == "ClusterIssuer"
    }
    for name, server in servers.items():
        assert ("staging" in server) == name.endswith("-staging"), name


def test_the_gateway_takes_routes_of_one_namespace_over_https() -> None:
    gateway = one(made(), "Gateway")
    http, https = gateway["spec"]["listeners"]
    assert (http["port"], http["allowedRoutes"]["namespaces"]) == (80, {"from": "Same"})
    labels = https["allowedRoutes"]["namespaces"]["selector"]["matchLabels"]
    assert labels == {"kubernetes.io/metadata.name": "kaito-chat"}
    assert https["tls"] == {"mode": "Terminate", "certificateRefs": [{"name": "kaito-chat-tls"}]}
    assert gateway["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert gateway["spec"]["gatewayClassName"] == "approuting-istio"


def test_http_leads_to_https_on_the_one_host() -> None:
    route = one(made(), "HTTPRoute")["spec"]
    gateway = one(made(), "Gateway")
    listeners = {each["name"]: each for each in gateway["spec"]["listeners"]}
    (parent,) = route["parentRefs"]
    assert parent["name"] == gateway["metadata"]["name"]
    assert listeners[parent["sectionName"]]["protocol"] == "HTTP"
    assert route["hostnames"] == [listeners["https"]["hostname"]]
    (rule,) = route["rules"]
    assert rule["filters"] == [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]
    assert "matches" not in rule


def test_the_wait_may_create_workspaces_and_nothing_else() -> None:
    job = one(made(), "Job")
    assert one(made(), "Role")["rules"] == [
        {"apiGroups": ["kaito.sh"], "resources": ["workspaces"], "verbs": ["create"]}
    ]
    spec = job["spec"]["template"]["spec"]
    restricted(spec)
    assert spec["containers"][0]["command"] == ["python", "-m", "kaito_chat.await_kaito"]
    assert spec["containers"][0]["args"] == ["--seconds", "600"]
    assert (ROOT / "app" / "kaito_chat" / "await_kaito.py").exists()
    assert job["spec"]["activeDeadlineSeconds"] > 600


def hooks(objects: list[Object]) -> dict[str, dict[str, str]]:
    """Return the annotations of each hook by its kind."""
    found = {each["kind"]: each["metadata"].get("annotations", {}) for each in objects}
    return {kind: annotations for kind, annotations in found.items() if "helm.sh/hook" in annotations}


def test_the_right_to_create_workspaces_ends_with_the_wait() -> None:
    # Helm waits for a Job that is a hook, then deletes what succeeded; test_cluster_upgrades.py runs it.
    found = hooks(made())
    assert set(found) == {"Job", "Role", "RoleBinding", "ServiceAccount"}
    waits = "post-install,post-upgrade"
    for kind, annotations in found.items():
        # Later events only remove what is left.
        assert annotations["helm.sh/hook"] == (waits if kind == "Job" else f"{waits},post-rollback,post-delete"), kind
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded", kind
    weights = {kind: int(annotations["helm.sh/hook-weight"]) for kind, annotations in found.items()}
    assert all(weights[kind] < weights["Job"] for kind in set(found) - {"Job"})
    assert found["Job"]["helm.sh/hook-output-log-policy"] == "hook-failed"
    # A failed Job is no part of the release: Kubernetes deletes it.
    assert one(made(), "Job")["spec"]["ttlSecondsAfterFinished"] == 3600


def test_an_upgrade_removes_the_rights_of_an_earlier_release() -> None:
    kinds = {"Job", "Role", "RoleBinding", "ServiceAccount"}
    earlier = [copy.deepcopy(each) for each in made()]  # when they were part of the release
    for each in earlier:
        if each["kind"] in kinds:
            del each["metadata"]["annotations"]
    found = compare(earlier, made())
    assert {name.partition("/")[0] for name in found.deleted} == kinds
    assert (found.created, found.changed, found.left) == (frozenset(), {}, frozenset())


def version_of_chart(folder: Path, version: str) -> list[Object]:
    """Render a copy of the chart with another version."""
    chart = folder / version / "kaito-cluster"
    shutil.copytree(CHART, chart)
    text = (chart / "Chart.yaml").read_text(encoding="utf-8")
    (chart / "Chart.yaml").write_text(re.sub(r"(?m)^version: .*$", f"version: {version}", text), encoding="utf-8")
    return render(case("everything", CHART), chart=chart)


@pytest.mark.parametrize(
    "change",
    [
        at("awaitKaito.seconds", 601),
        at("tolerations", []),
        at("awaitKaito.image.tag", "0.9.0"),
        at("awaitKaito.image.digest", "sha256:" + "b" * 64),
    ],
    ids=str,
)
def test_every_change_of_the_immutable_job_is_another_job(change: dict[str, Any]) -> None:
    first, second = one(made(), "Job"), one(made(change), "Job")
    assert first["spec"] != second["spec"]
    assert first["metadata"]["name"] != second["metadata"]["name"]


def test_another_version_of_the_chart_is_another_job(tmp_path: Path) -> None:
    first, second = (one(version_of_chart(tmp_path, version), "Job") for version in ("7.0.0", "7.0.1"))
    labels = [each["spec"]["template"]["metadata"]["labels"]["helm.sh/chart"] for each in (first, second)]
    assert labels == ["kaito-cluster-7.0.0", "kaito-cluster-7.0.1"]
    assert first["metadata"]["name"] != second["metadata"]["name"]


def test_another_release_is_another_job() -> None:
    values = case("everything", CHART)
    found = {one(render(values, release=name, chart=CHART), "Job")["metadata"]["name"] for name in ("one", "two")}
    assert len(found) == 2


def test_a_change_of_other_objects_is_the_same_job() -> None:
    assert one(made(at("gateway.hostname", "other.example.com")), "Job") == one(made(), "Job")


DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(("path", "value"), [("awaitKaito.image.tag", "0.9.0"), ("awaitKaito.image.digest", DIGEST)])
def test_another_image_is_another_job_of_the_same_account(path: str, value: str) -> None:
    first, second = one(made(), "Job"), one(made(at(path, value)), "Job")
    assert first["metadata"]["name"] != second["metadata"]["name"]
    accounts = {each["spec"]["template"]["spec"]["serviceAccountName"] for each in (first, second)}
    assert accounts == {one(made(), "ServiceAccount")["metadata"]["name"]}


def test_a_digest_goes_before_a_tag() -> None:
    def image(*changes: dict[str, Any]) -> str:
        return str(one(made(*changes), "Job")["spec"]["template"]["spec"]["containers"][0]["image"])

    assert image() == f"example.azurecr.io/kaito-chat:{__version__}"
    assert image(at("awaitKaito.image.digest", DIGEST)) == f"example.azurecr.io/kaito-chat@{DIGEST}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("gateway.hostname", ""),
        ("gateway.routesFrom", ""),
        ("awaitKaito.image", ""),
        ("awaitKaito.image.repository", ""),
        ("awaitKaito.image.tag", ""),
        ("awaitKaito.image.digest", "sha256:1234"),
        ("awaitKaito.seconds", "600"),
        ("issuers.dns.zone", ""),
        ("issuers.email", "no address"),
        ("issuer", {}),
    ],
)
def test_a_wrong_value_is_refused_by_name(path: str, value: object) -> None:
    with pytest.raises(RenderError) as raised:
        made(at(path, value))
    words = str(raised.value).replace("/", ".")
    assert path in words or path.rpartition(".")[0] in words, words
