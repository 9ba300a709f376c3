"""Several releases: names and labels of their objects, within Kubernetes's limits."""

import pytest

from support.rendering import Object, case, merged, names, one, render
from support.validation import check_core, check_custom


def test_two_releases_in_one_namespace_share_nothing() -> None:
    first, second = (render(case("everything") | {"fullnameOverride": ""}, release=name) for name in ("one", "two"))
    shared = names(first) & names(second)
    assert shared == {("ServiceAccount", "kaito-chat")}  # named by the values
    one_chat, two_chat = (pods_of(objects) for objects in (first, second))
    assert one_chat != two_chat


def pods_of(objects: list[Object]) -> object:
    """Return the labels by which the chat's Services select its pods."""
    services = [each["spec"]["selector"] for each in objects if each["kind"] == "Service"]
    found = [each for each in services if each.get("app.kubernetes.io/component") == "chat"]
    assert found
    assert all(each == found[0] for each in found)
    return found[0]


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


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("my.chat", "my-chat"),
        ("a.b-c", "a-b.c"),
        ("a.b.c", "a.b-c"),
        ("9-lives", "kc-9-lives"),
        ("9.lives", "9-lives"),
        ("9.lives", "kc-9.lives"),
        (f"{'x' * 20}.{'y' * 20}", f"{'x' * 20}-{'y' * 20}"),
    ],
)
def test_names_that_differ_in_replaced_characters_do_not_collide(first: str, second: str) -> None:
    values = case("everything") | {"fullnameOverride": ""}
    shared = names(render(values, release=first)) & names(render(values, release=second))
    assert shared == {("ServiceAccount", "kaito-chat")}  # named by the values


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("chat", "chat"),
        ("my-chat", "my-chat"),
        ("kc-chat", "kc-chat"),
        ("123", "kc-123"),
        ("9-lives", "kc-9-lives"),
        ("x" * 35, "x" * 35),
        ("x" * 36, f"{'x' * 28}-0e63ae"),
        ("my.chat", "my-chat-c7b105"),
        ("kc-9", "kc-9-e84e42"),
    ],
)
def test_the_names_of_deployed_releases_are_pinned(release: str, name: str) -> None:
    assert one(render(release=release), "Deployment")["metadata"]["name"] == name


def test_a_given_prefix_is_taken_as_it_is() -> None:
    objects = render(merged(case("default"), {"fullnameOverride": "my-chat"}), release="my.chat")
    assert one(objects, "Deployment")["metadata"]["name"] == "my-chat"


def test_releases_named_alike_do_not_collide() -> None:
    first, second = (names(render(release=name)) for name in ("kaito", "kaito-chat"))
    assert not first & second
