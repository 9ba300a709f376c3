"""Token and licence at Hugging Face, and the hosts that the nodes need."""

import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.preflight import hugging_face
from support.fake_azure import FakeAzure
from support.fake_hugging_face import Answer, FakeHuggingFace, running
from support.preflight_checks import context, found
from support.project import ROOT

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
GATED = {
    "model": [
        'preset = "llama-3.1-8b-instruct"',
        'access_secret = "hugging-face"',
        'instance_type = "Standard_NC24ads_A100_v4"',
    ]
}
OPEN = {
    "kaito": ['version = "0.12.0"'],
    "model": ['preset = "Qwen/Qwen3.5-9B"', 'instance_type = "Standard_NC24ads_A100_v4"'],
}
TOKEN = "hf_ofTheTests"  # noqa: S105 - it opens nothing


@pytest.fixture
def hub() -> Iterator[FakeHuggingFace]:
    with running() as fake:
        fake.accounts[TOKEN] = "someone"
        fake.models = {LLAMA: {TOKEN}, "Qwen/Qwen3.5-9B": "open"}
        yield fake


def checked(folder: Path, hub: FakeHuggingFace, edits: dict[str, list[str]], **variables: str) -> dict[str, Finding]:
    azure = FakeAzure()
    azure.endpoint = "http://127.0.0.1:9"
    return found(hugging_face.checks(context(folder, azure, edits, {"HF_ENDPOINT": hub.endpoint, **variables})))


def test_a_model_from_an_image_needs_no_hugging_face(tmp_path: Path, hub: FakeHuggingFace) -> None:
    result = checked(tmp_path, hub, {}, HF_TOKEN=TOKEN)
    assert list(result) == ["egress"]
    assert result["egress"].state == "info"
    assert "HTTPS to mcr.microsoft.com, *.data.mcr.microsoft.com:" in result["egress"].detail
    assert hub.asked == []


def test_nothing_is_checked_while_kaito_is_off(tmp_path: Path, hub: FakeHuggingFace) -> None:
    assert checked(tmp_path, hub, {"kaito": ["enabled = false"]}) == {}


def test_an_accepted_licence_is_fine(tmp_path: Path, hub: FakeHuggingFace) -> None:
    result = checked(tmp_path, hub, GATED, HF_TOKEN=TOKEN)
    assert {subject: (each.state, each.detail) for subject, each in result.items() if subject != "egress"} == {
        "Hugging Face token": ("ok", "the token of HF_TOKEN is valid, of the account someone"),
        "model access": ("ok", f"{LLAMA} exists, and the token may download it"),
    }
    assert "*.hf.co" in result["egress"].detail
    assert sorted(hub.asked) == [
        (f"/api/models/{LLAMA}/auth-check", f"Bearer {TOKEN}"),
        ("/api/whoami-v2", f"Bearer {TOKEN}"),
    ]


def test_a_licence_that_is_not_accepted_stops_a_deployment(tmp_path: Path, hub: FakeHuggingFace) -> None:
    hub.models[LLAMA] = "gated"
    result = checked(tmp_path, hub, GATED, HF_TOKEN=TOKEN)["model access"]
    assert result.state == "blocker"
    assert result.detail.endswith("may not download it: Access is restricted and you are not in the authorized list.")
    assert result.remedy.startswith(f"Accept the licence at {hub.endpoint}/{LLAMA};")


def test_a_gated_model_without_a_token_is_undecided(tmp_path: Path, hub: FakeHuggingFace) -> None:
    result = checked(tmp_path, hub, GATED)
    assert {subject: each.state for subject, each in result.items()} == {
        "egress": "info",
        "Hugging Face token": "unknown",
        "model access": "unknown",
    }
    assert result["Hugging Face token"].remedy == "Set HF_TOKEN to the token of the Workspace's Secret"


def test_an_open_model_needs_no_token(tmp_path: Path, hub: FakeHuggingFace) -> None:
    result = checked(tmp_path, hub, OPEN)
    assert list(result) == ["egress", "model access"]
    assert result["model access"].detail == "Qwen/Qwen3.5-9B exists, and everyone may download it"
    assert hub.asked == [("/api/models/Qwen/Qwen3.5-9B/auth-check", None)]


@pytest.mark.parametrize(("variables", "who"), [({}, "everyone"), ({"HF_TOKEN": TOKEN}, "the token")])
def test_a_model_that_does_not_exist_stops_a_deployment(
    tmp_path: Path, hub: FakeHuggingFace, variables: dict[str, str], who: str
) -> None:
    del hub.models["Qwen/Qwen3.5-9B"]
    result = checked(tmp_path, hub, OPEN, **variables)["model access"]
    assert (result.state, result.detail) == (
        "blocker",
        f"Hugging Face has no model Qwen/Qwen3.5-9B that {who} may see",
    )
    assert result.remedy.startswith("Correct model.preset, or set HF_TOKEN")


def test_the_standby_is_checked_too_and_a_model_once(tmp_path: Path, hub: FakeHuggingFace) -> None:
    edits = OPEN | {
        "model": [*OPEN["model"], 'standby_preset = "llama-3.1-8b-instruct"', 'access_secret = "hugging-face"']
    }
    assert list(checked(tmp_path, hub, edits, HF_TOKEN=TOKEN))[2:] == [
        "model access",
        "standby access",
    ]
    edits = OPEN | {"model": [*OPEN["model"], "standby_node_count = 2"]}
    assert list(checked(tmp_path, hub, edits))[1:] == ["model access"]


@pytest.mark.parametrize(("edits", "state"), [(GATED, "blocker"), (OPEN, "warning")])
def test_a_refused_token_matters_where_a_model_needs_one(
    tmp_path: Path, hub: FakeHuggingFace, edits: dict[str, list[str]], state: str
) -> None:
    result = checked(tmp_path, hub, edits, HF_TOKEN=f"{TOKEN}Revoked")["Hugging Face token"]
    assert (result.state, result.detail) == (
        state,
        "Hugging Face refuses the token of HF_TOKEN: it is wrong, expired or revoked",
    )
    assert result.remedy == f"Create one: {hub.endpoint}/settings/tokens"


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f" {TOKEN}", "hf_\u00e4", "two words"])
def test_a_token_that_no_header_can_carry_is_never_shown(tmp_path: Path, hub: FakeHuggingFace, token: str) -> None:
    result = checked(tmp_path, hub, GATED, HF_TOKEN=token)
    assert result["Hugging Face token"].state == "blocker"
    assert result["model access"].state == "unknown"
    assert all(token.strip() not in str(each) for each in result.values())
    assert all(header is None for _, header in hub.asked)


@pytest.mark.parametrize(
    ("path", "answer", "text"),
    [
        ("whoami-v2", Answer(429), "HTTP 429"),
        ("whoami-v2", Answer(503, body=b"<html>"), "HTTP 503"),
        ("whoami-v2", Answer(200, body=b"<html>sign in</html>"), "HTTP 200"),
        ("whoami-v2", Answer(200, body=b"[]"), "HTTP 200"),
        ("whoami-v2", Answer(200, body=b'{"name": null}'), "HTTP 200"),
        ("whoami-v2", Answer(403, message=f"the token {TOKEN} is odd"), "HTTP 403 the token (token) is odd"),
        ("model", Answer(429), "HTTP 429"),
        ("model", Answer(500), "HTTP 500"),
        ("model", Answer(403, message="blocked"), "HTTP 403 blocked"),
        ("model", Answer(401, message="Invalid credentials in Authorization header"), "HTTP 401 Invalid credentials"),
    ],
)
def test_an_answer_that_decides_nothing_is_never_a_pass(
    tmp_path: Path, hub: FakeHuggingFace, path: str, answer: Answer, text: str
) -> None:
    hub.answers[f"/api/models/{LLAMA}/auth-check" if path == "model" else f"/api/{path}"] = answer
    result = checked(tmp_path, hub, GATED, HF_TOKEN=TOKEN)
    odd = result["model access" if path == "model" else "Hugging Face token"]
    assert odd.state == "unknown"
    assert text in odd.detail
    assert all(TOKEN not in str(each) for each in result.values())


def test_hugging_face_out_of_reach_decides_nothing(tmp_path: Path, hub: FakeHuggingFace) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    result = checked(tmp_path, hub, GATED, HF_TOKEN=TOKEN, HF_ENDPOINT=nowhere)
    assert [each.state for each in result.values()] == ["info", "unknown", "unknown"]
    assert result["model access"].detail == "127.0.0.1 cannot be reached from here (ConnectionError)"
    assert result["model access"].remedy.startswith("The nodes may reach it all the same")


def test_a_slow_hugging_face_decides_nothing(
    tmp_path: Path, hub: FakeHuggingFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hugging_face, "_TIMEOUT", (1, 0.1))
    hub.seconds = 0.5
    result = checked(tmp_path, hub, GATED, HF_TOKEN=TOKEN)
    assert [each.state for each in result.values()] == ["info", "unknown", "unknown"]
    assert "(ReadTimeout)" in result["model access"].detail


def test_a_token_is_never_sent_without_encryption(tmp_path: Path, hub: FakeHuggingFace) -> None:
    result = checked(tmp_path, hub, GATED, HF_TOKEN=TOKEN, HF_ENDPOINT="http://mirror.kaito.dev")
    assert result["Hugging Face token"].state == "unknown"
    assert "HF_ENDPOINT=http://mirror.kaito.dev: must begin with https://" in result["Hugging Face token"].detail


def test_the_hosts_are_those_of_the_page() -> None:
    hosts = tomllib.loads((ROOT / "tools" / "hosts.toml").read_text(encoding="utf-8"))["hosts"]
    named = {tuple(each["names"]) for each in hosts if each["from"] in {"model", "nodes"}}
    assert {hugging_face.DOWNLOADS, hugging_face.IMAGES} <= named
