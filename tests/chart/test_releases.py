"""Several releases: names and labels of their objects, within Kubernetes's limits."""

import pytest

from support.rendering import Object, case, names, one, render
from support.validation import check_core, check_custom


def test_two_releases_in_one_namespace_share_nothing() -> None:
    first, second = (render(case("everything") | {"fullnameOverride": ""}, release=name) for name in ("one", "two"))
    shared = names(first) & names(second)
    assert shared == {("ServiceAccount", "kaito-chat")}  # named by the values
    one_chat, two_chat = (pods_of(objects) for objects in (first, second))
    assert one_chat != two_chat


def pods_of(objects: list[Object]) -> object:
    """Return the selector of the chat's Service."""
    services = [each["spec"]["selector"] for each in objects if each["kind"] == "Service"]
    (found,) = [each for each in services if each.get("app.kubernetes.io/component") == "chat"]
    return found


def test_two_releases_have_gpu_nodes_of_their_own() -> None:
    labels = {
        str(one(render(release=name, namespace=space), "Workspace")["resource"]["labelSelector"])
        for name, space in (("one", "chat"), ("two", "chat"), ("one", "other"))
    }
    assert len(labels) == 3


@pytest.mark.parametrize("release", ["a", "123", "9-lives", "with.dots.in-it", "x" * 53, "chat", "my-chat"])
def test_names_stay_within_what_kubernetes_allows(release: str) -> None:
    objects = render(case("everything") | {"fullnameOverride": ""}, release=release, namespace="123")
    check_core(objects, "1.37")
    for kind, name in names(objects):
        assert len(name) <= 63, (kind, name)
        assert not name.startswith(tuple("0123456789")) or kind != "Service"
    for each in objects:
        if each["kind"] in {"Workspace", "InferenceSet"}:
            assert len(each["metadata"]["name"]) <= 46  # KAITO appends 6 and 9 more
    check_custom(objects)


def test_releases_named_alike_do_not_collide() -> None:
    first, second = (names(render(release=name)) for name in ("kaito", "kaito-chat"))
    assert not first & second
