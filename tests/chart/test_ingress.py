"""Publishing the chat: annotations for each controller, and refused values."""

from typing import Any

import pytest

from support.rendering import PUBLISHED, Object, RenderError, at, default, kinds, merged, one, render

MODEL = merged(at("model.ingress.enabled", True), at("model.ingress.host", "model.example.com"))


def annotations(mode: str, *changes: dict[str, Any], name: str = "demo") -> dict[str, str]:
    """Return the annotations of one Ingress."""
    found: dict[str, str] = one(render(default(PUBLISHED[mode], *changes)), "Ingress", name)["metadata"]["annotations"]
    return found


def model_ingress(mode: str, *changes: dict[str, Any]) -> Object:
    """Return the Ingress of the model's own endpoint."""
    objects = render(default(PUBLISHED[mode], MODEL, *changes))
    return one(objects, "Ingress", one(objects, "Workspace")["metadata"]["name"])


def test_nothing_is_published_unless_asked_for() -> None:
    assert not kinds(render()) & {"Ingress", "HTTPRoute"}
    assert "KAITO_CHAT_PUBLIC_URL" not in one(render(), "ConfigMap", "demo")["data"]


def test_f5s_controller_gets_annotations_with_units() -> None:
    assert annotations("nginx", at("ingress.maxBodySizeMib", 20)) == {
        "nginx.org/client-max-body-size": "20m",
        "nginx.org/proxy-buffering": "False",
        "nginx.org/proxy-read-timeout": "3600s",
        "nginx.org/proxy-send-timeout": "3600s",
        "nginx.org/sticky-cookie-services": "serviceName=demo kaito_chat_pod path=/ httponly",
        "nginx.org/websocket-services": "demo",
    }


def test_app_routings_nginx_gets_the_older_annotations() -> None:
    found = annotations("webapprouting", at("ingress.maxBodySizeMib", 20), at("ingress.allowedCidrs", ["10.0.0.0/8"]))
    assert {key.removeprefix("nginx.ingress.kubernetes.io/"): value for key, value in found.items()} == {
        "affinity": "cookie",
        "proxy-body-size": "20m",
        "proxy-buffering": "off",
        "proxy-read-timeout": "3600",
        "proxy-send-timeout": "3600",
        "session-cookie-name": "kaito_chat_pod",
        "session-cookie-path": "/",
        "whitelist-source-range": "10.0.0.0/8",
    }


@pytest.mark.parametrize(
    ("mode", "key"),
    [("nginx", "nginx.org/sticky-cookie-services"), ("webapprouting", "nginx.ingress.kubernetes.io/affinity")],
)
def test_affinity_can_be_switched_off(mode: str, key: str) -> None:
    assert key in annotations(mode)
    assert key not in annotations(mode, at("ingress.affinityEnabled", False))


def test_an_allow_list_of_f5s_is_a_policy() -> None:
    objects = render(default(PUBLISHED["nginx"], at("ingress.allowedCidrs", ["203.0.113.0/24"])))
    policy = one(objects, "Policy")
    assert policy["spec"]["accessControl"] == {"allow": ["203.0.113.0/24"]}
    assert one(objects, "Ingress")["metadata"]["annotations"]["nginx.org/policies"] == policy["metadata"]["name"]


def test_classes_and_their_override() -> None:
    for mode, name in (("nginx", "nginx"), ("webapprouting", "webapprouting.kubernetes.azure.com")):
        assert one(render(default(PUBLISHED[mode])), "Ingress")["spec"]["ingressClassName"] == name
        other = render(default(PUBLISHED[mode], at("ingress.className", "other")))
        assert one(other, "Ingress")["spec"]["ingressClassName"] == "other"


def test_tls_comes_from_cert_manager() -> None:
    issuer = at("ingress.tls", {"clusterIssuer": "letsencrypt", "secretName": ""})
    ingress = one(render(default(PUBLISHED["nginx"], issuer)), "Ingress")
    assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
    assert ingress["spec"]["tls"] == [{"hosts": ["chat.example.com"], "secretName": "demo-tls"}]


def test_lets_encrypt_is_answered_where_a_host_may_have_one_ingress() -> None:
    certificate = at("ingress.tls", {"clusterIssuer": "letsencrypt", "secretName": ""})
    asked = {"acme.cert-manager.io/http01-edit-in-place": "true", "cert-manager.io/issue-temporary-certificate": "true"}
    assert asked.items() <= annotations("nginx", certificate).items()
    assert not asked.keys() & annotations("nginx").keys()
    assert not asked.keys() & annotations("webapprouting", certificate).keys()


@pytest.mark.parametrize("mode", ["nginx", "webapprouting"])
def test_https_needs_a_certificate_from_somewhere(mode: str) -> None:
    with pytest.raises(RenderError, match=r"ingress\.tls\.clusterIssuer.*ingress\.tls\.secretName"):
        render(default(PUBLISHED[mode], at("ingress.tls.secretName", "")))


def test_without_tls_the_address_is_plain() -> None:
    objects = render(default(PUBLISHED["nginx"], at("ingress.tls.enabled", False)))
    assert "tls" not in one(objects, "Ingress")["spec"]
    assert one(objects, "ConfigMap", "demo")["data"]["KAITO_CHAT_PUBLIC_URL"] == "http://chat.example.com"


def test_ones_own_annotations_go_first() -> None:
    own = {"nginx.org/proxy-read-timeout": "60s", "example.com/team": "platform"}
    found = annotations("nginx", at("ingress.annotations", own))
    assert {key: found[key] for key in own} == own
    assert found["nginx.org/proxy-send-timeout"] == "3600s"


def test_the_gateway_gets_a_route_with_timeouts() -> None:
    gateway = {"name": "public", "namespace": "gateways", "sectionName": "https"}
    objects = render(default(PUBLISHED["gateway"], at("ingress.gateway", gateway)))
    assert "Ingress" not in kinds(objects)
    spec = one(objects, "HTTPRoute")["spec"]
    assert spec["parentRefs"] == [gateway]
    assert spec["hostnames"] == ["chat.example.com"]
    assert spec["rules"][0]["timeouts"] == {"request": "3600s"}
    assert spec["rules"][0]["backendRefs"] == [{"name": "demo", "port": 80}]


ROOT_PATH = at("chat.settings", {"KAITO_CHAT_ROOT_PATH": "/team/chat"})


def published_path(objects: list[Object]) -> str:
    """Return the path prefix of the only Ingress or HTTPRoute."""
    if "HTTPRoute" in kinds(objects):
        (match,) = one(objects, "HTTPRoute")["spec"]["rules"][0]["matches"]
        assert match["path"]["type"] == "PathPrefix"
        return str(match["path"]["value"])
    ((path,),) = [rule["http"]["paths"] for rule in one(objects, "Ingress")["spec"]["rules"]]
    assert path["pathType"] == "Prefix"
    return str(path["path"])


@pytest.mark.parametrize("mode", PUBLISHED)
def test_the_path_that_the_application_serves_under_is_published_as_it_is(mode: str) -> None:
    assert published_path(render(default(PUBLISHED[mode]))) == "/"
    objects = render(default(PUBLISHED[mode], ROOT_PATH))
    assert published_path(objects) == "/team/chat"
    settings = one(objects, "ConfigMap", "demo")["data"]
    assert settings["KAITO_CHAT_ROOT_PATH"] == "/team/chat"
    assert settings["KAITO_CHAT_PUBLIC_URL"] == "https://chat.example.com/team/chat"
    assert "http://demo:80/team/chat" in one(objects, "Pod")["spec"]["containers"][0]["args"]


def test_affinitys_cookie_has_the_path_of_the_application() -> None:
    found = annotations("nginx", ROOT_PATH)
    sticky = found["nginx.org/sticky-cookie-services"]
    assert sticky == "serviceName=demo kaito_chat_pod path=/team/chat httponly"
    found = annotations("webapprouting", ROOT_PATH)
    assert found["nginx.ingress.kubernetes.io/session-cookie-path"] == "/team/chat"


@pytest.mark.parametrize("path", ["chat", "/chat/", "/", "//chat", "/chat?x", "/../chat", "/chat path", "/chat;x"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(RenderError, match="KAITO_CHAT_ROOT_PATH"):
        render(default(at("chat.settings", {"KAITO_CHAT_ROOT_PATH": path})))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            at("ingress.annotations", {"nginx.org/rewrites": "serviceName=demo rewrite=/"}),
            r"ingress\.annotations\.nginx",
        ),
        (
            at("ingress.annotations", {"nginx.ingress.kubernetes.io/rewrite-target": "/"}),
            r"ingress\.annotations\.nginx",
        ),
        (at("chat.settings", {"KAITO_CHAT_PUBLIC_URL": "https://chat.example.com/other"}), "KAITO_CHAT_PUBLIC_URL is"),
    ],
)
def test_what_contradicts_the_path_stops_the_release(change: dict[str, Any], words: str) -> None:
    with pytest.raises(RenderError, match=words):
        render(default(PUBLISHED["nginx"], merged(ROOT_PATH, change)))


def test_an_address_without_an_ingress_of_ours_has_the_path_too() -> None:
    settings = {"KAITO_CHAT_ROOT_PATH": "/chat", "KAITO_CHAT_PUBLIC_URL": "https://chat.example.com/chat"}
    found = one(render(default(at("chat.settings", settings))), "ConfigMap", "demo")["data"]
    assert found["KAITO_CHAT_PUBLIC_URL"] == "https://chat.example.com/chat"
    with pytest.raises(RenderError, match=r"differs from chat\.settings\.KAITO_CHAT_ROOT_PATH"):
        render(default(at("chat.settings", settings | {"KAITO_CHAT_ROOT_PATH": ""})))


@pytest.mark.parametrize("mode", ["nginx", "webapprouting"])
def test_bodies_are_limited_by_the_controllers_own_mebibyte(mode: str) -> None:
    assert not [key for key in annotations(mode) if "body-size" in key]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (at("ingress.affinityEnabled", True), "ingress.affinityEnabled"),
        (at("ingress.maxBodySizeMib", 20), "ingress.maxBodySizeMib"),
        (at("ingress.allowedCidrs", ["10.0.0.0/8"]), "ingress.allowedCidrs"),
        (at("ingress.tls.clusterIssuer", "letsencrypt"), "ingress.tls.clusterIssuer"),
        (at("ingress.gateway.name", ""), "ingress.gateway.name"),
        (MODEL, "model.ingress.enabled needs ingress.mode"),
    ],
)
def test_what_the_gateway_cannot_do_stops_the_release(change: dict[str, Any], words: str) -> None:
    with pytest.raises(RenderError, match=words):
        render(default(PUBLISHED["gateway"], change))


@pytest.mark.parametrize("mode", ["nginx", "webapprouting", "gateway"])
def test_publishing_needs_a_host(mode: str) -> None:
    with pytest.raises(RenderError, match=f"ingress.mode {mode} needs ingress.host"):
        render(default(PUBLISHED[mode], at("ingress.host", "")))


@pytest.mark.parametrize("mode", ["nginx", "webapprouting"])
def test_the_model_is_never_published_to_everybody(mode: str) -> None:
    with pytest.raises(RenderError, match=r"model\.ingress\.basicAuthSecret or model\.ingress\.allowedCidrs"):
        model_ingress(mode)


def test_the_model_behind_a_password() -> None:
    password = at("model.ingress.basicAuthSecret", "users")
    assert model_ingress("nginx", password)["metadata"]["annotations"]["nginx.org/basic-auth-secret"] == "users"
    found = model_ingress("webapprouting", password)["metadata"]["annotations"]
    assert found["nginx.ingress.kubernetes.io/auth-type"] == "basic"
    assert found["nginx.ingress.kubernetes.io/auth-secret"] == "users"


def test_the_model_behind_an_allow_list() -> None:
    allowed = at("model.ingress.allowedCidrs", ["203.0.113.7/32"])
    objects = render(default(PUBLISHED["nginx"], MODEL, allowed))
    policy = one(objects, "Policy")
    assert policy["spec"]["accessControl"] == {"allow": ["203.0.113.7/32"]}
    assert (
        model_ingress("nginx", allowed)["metadata"]["annotations"]["nginx.org/policies"] == policy["metadata"]["name"]
    )
    rule = model_ingress("nginx", allowed)["spec"]["rules"][0]
    assert rule["host"] == "model.example.com"
    assert rule["http"]["paths"][0]["path"] == "/v1/"


def test_the_models_host_is_another_one() -> None:
    with pytest.raises(RenderError, match=r"must differ from ingress\.host"):
        model_ingress(
            "nginx", at("model.ingress.host", "chat.example.com"), at("model.ingress.basicAuthSecret", "users")
        )
