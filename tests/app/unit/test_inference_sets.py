"""The number of replicas of an InferenceSet, at a fake API server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.inference_sets import InferenceSets
from kaito_chat.kubernetes.resources import ApiError
from support.chat.scales import PREFIX, Scales, service_account, serving


@pytest.fixture
def api() -> Iterator[Scales]:
    with serving(phi=0, qwen=3) as scales:
        yield scales


@pytest.fixture
async def sets(api: Scales, tmp_path: Path) -> AsyncIterator[InferenceSets]:
    found = ApiServer(api.url, service_account(tmp_path))
    yield InferenceSets(found, "kaito.sh/v1beta1", None)
    await found.close()


async def test_a_model_that_sleeps_has_no_replicas(api: Scales, sets: InferenceSets) -> None:
    assert (await sets.replicas("phi"), await sets.replicas("qwen")) == (0, 3)
    assert [(each.method, each.path) for each in api.asked] == [
        ("GET", f"{PREFIX}phi/scale"),
        ("GET", f"{PREFIX}qwen/scale"),
    ]


async def test_waking_patches_the_scale_and_nothing_else(api: Scales, sets: InferenceSets) -> None:
    await sets.wake("phi", 2)
    assert api.replicas == {"phi": 2, "qwen": 3}
    (read, patch) = api.asked
    assert (read.method, patch.method, patch.path) == ("GET", "PATCH", f"{PREFIX}phi/scale")
    assert patch.content_type == "application/merge-patch+json"
    assert patch.body == {"metadata": {"resourceVersion": "7"}, "spec": {"replicas": 2}}


async def test_waking_never_takes_replicas_away(api: Scales, sets: InferenceSets) -> None:
    await sets.wake("qwen", 1)
    assert api.replicas["qwen"] == 3
    assert api.patches() == []


async def test_another_client_at_the_same_time_is_no_failure(api: Scales, sets: InferenceSets) -> None:
    api.conflicts = 1
    await sets.wake("phi", 1)
    assert api.replicas["phi"] == 1
    assert [each["metadata"]["resourceVersion"] for each in api.patches()] == ["7", "8"]


async def test_an_object_that_changes_all_the_time_is_given_up(api: Scales, sets: InferenceSets) -> None:
    api.conflicts = 99
    with pytest.raises(ApiError, match="failed: the object changes too often"):
        await sets.wake("phi", 1)
    assert len(api.patches()) == 3


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("llama", "forbidden", 'inferencesets.kaito.sh "llama" is forbidden'),
        ("gone", "missing", 'inferencesets.kaito.sh "gone" not found'),
    ],
)
async def test_a_refusal_is_raised_with_the_servers_message(
    api: Scales, sets: InferenceSets, name: str, reason: str, said: str
) -> None:
    api.permitted.add("gone")
    with pytest.raises(ApiError) as raised:
        await sets.wake(name, 1)
    assert raised.value.reason == reason
    assert said in raised.value.said
    assert await sets.replicas(name) is None


async def test_a_failure_of_the_server_is_raised(api: Scales, sets: InferenceSets) -> None:
    api.broken = True
    with pytest.raises(ApiError, match="failed: etcdserver: request timed out"):
        await sets.wake("phi", 1)


async def test_a_server_that_does_not_answer_is_raised(tmp_path: Path) -> None:
    server = ApiServer("http://127.0.0.1:1", service_account(tmp_path))
    sets = InferenceSets(server, "kaito.sh/v1beta1", None)
    with pytest.raises(ApiError) as raised:
        await sets.wake("phi", 1)
    assert raised.value.reason == "unreachable"
    assert await sets.replicas("phi") is None
    await server.close()


async def test_without_a_token_nothing_is_asked(api: Scales, tmp_path: Path) -> None:
    assert await InferenceSets(ApiServer(api.url, tmp_path), "kaito.sh/v1beta1", "chats").replicas("phi") is None
    assert api.asked == []
