"""The table of causes, with texts as Azure, KAITO, Karpenter, the kubelet, vLLM and cert-manager write them."""

import importlib.util
from types import ModuleType

import pytest

from aks_kaito_cli.project import environment_named
from aks_kaito_cli.status.causes import Cause, Evidence, Kind, causes, diagnose
from aks_kaito_cli.status.models import words_of
from support.cause_texts import HARMLESS, PATIENT, TEXTS
from support.project import ENVIRONMENTS, ROOT

# The chat's page uses its own, coarser words for the same texts.
OF_THE_CHAT = {
    "quota": "quota",
    "quota_spot": "quota",
    "sku": "sku",
    "capacity": "capacity",
    "rights": "no_right",
    "node_timed_out": "node_timed_out",
    "download": "download",
    "image_pull": "image_pull",
    "host_memory": "out_of_memory",
    "crash": "crashed",
    "benchmark": "benchmark",
    "failed": "failed",
}


def found(kind: Kind, text: str, seconds: float | None = None) -> str | None:
    diagnosis = diagnose([Evidence(kind, text, "here")], seconds)
    return diagnosis.cause.key if diagnosis else None


@pytest.mark.parametrize(("key", "kind", "text"), TEXTS)
def test_a_genuine_text_names_its_cause(key: str, kind: Kind, text: str) -> None:
    assert found(kind, text) == key


@pytest.mark.parametrize(("key", "kind", "text", "seconds"), PATIENT)
def test_words_of_the_way_count_after_a_while_only(key: str, kind: Kind, text: str, seconds: float) -> None:
    assert found(kind, text) is None
    assert found(kind, text, seconds - 1) is None
    assert found(kind, text, seconds) == key


@pytest.mark.parametrize(("kind", "text"), HARMLESS)
def test_words_of_the_way_are_no_cause(kind: Kind, text: str) -> None:
    assert found(kind, text) is None


def test_every_cause_has_a_text() -> None:
    assert {each.key for each in causes()} == {key for key, *_ in TEXTS} | {key for key, *_ in PATIENT}


@pytest.mark.parametrize("cause", causes(), ids=lambda cause: cause.key)
def test_every_cause_has_a_sentence_and_a_remedy(cause: Cause) -> None:
    words = words_of(environment_named(ENVIRONMENTS[0].stem))
    for text in (cause.sentence.format(**words), cause.remedy.format(**words)):
        assert text
        assert "{" not in text
        assert not text.removesuffix("...").endswith(".")


def test_an_exact_cause_comes_before_a_general_one() -> None:
    crash = Evidence("pod", "CrashLoopBackOff back-off 5m0s restarting failed container", "pod")
    memory = Evidence("log", "torch.OutOfMemoryError: CUDA out of memory.", "log")
    diagnosis = diagnose([crash, memory])
    assert diagnosis is not None
    assert (diagnosis.cause.key, diagnosis.evidence) == ("gpu_memory", memory)


def _of_the_chat() -> ModuleType:
    """Load the chat's classification, which needs no library, from another environment's source."""
    spec = importlib.util.spec_from_file_location("failures", ROOT / "app/kaito_chat/kubernetes/failures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("key", "kind", "text"), [each for each in TEXTS if each[1] == "kaito" and each[0] in OF_THE_CHAT]
)
def test_the_chat_says_the_same_about_a_condition(key: str, kind: Kind, text: str) -> None:
    reason, _, message = text.partition(" ")
    assert found(kind, text) == key
    assert str(_of_the_chat().failure_of(reason, message)) == OF_THE_CHAT[key]
