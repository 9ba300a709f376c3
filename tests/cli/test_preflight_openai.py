"""Azure OpenAI: models, versions, deployment types and quota of the region."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aks_kaito_cli.answers import Finding, side_by_side
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.preflight import services
from support.fake_azure import FakeAzure, Reply, error, running
from support.preflight_checks import GROUP, context, short
from support.ready_region import LOCATION, model, quota


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running() as fake:
        fake.listed(
            f"{LOCATION}/models",
            model("gpt-4o", "2024-08-06", "Standard", "provisioned"),
            model("gpt-4o", "2024-11-20", "GlobalStandard"),
            model("gpt-4o", "2024-11-20", "GlobalBatch", kind="AIServices"),
            model("gpt-5", "2026-01-01", "GlobalStandard"),
        )
        fake.listed(
            f"{LOCATION}/usages",
            quota("OpenAI.GlobalStandard.gpt-4o", 20.0, 50.0),
            quota("OpenAI.GlobalStandard.gpt-5", 0, 0),
        )
        yield fake


def checked(folder: Path, azure: FakeAzure, **deployments: str) -> list[Finding]:
    """Return the findings on deployments, each with `model version sku capacity`."""
    edits = {"openai": ["enabled = true"]}
    for name, text in deployments.items():
        found, version, sku, capacity = text.split()
        edits[f"openai.deployments.{name}"] = [
            f'model = "{found}"',
            f'version = "{version}"',
            f'sku_name = "{sku}"',
            f"capacity = {capacity}",
        ]
    checks = services.checks(context(folder, azure, edits))
    found_all = side_by_side(checks, (AzureAnswerError,))
    return [each for each in found_all if each.subject == "Azure OpenAI"]


def deployed(azure: FakeAzure, folder: Path, text: str) -> None:
    """Let the environment's account have the deployment `chat`."""
    name = context(folder, azure).names.openai
    found, version, sku, capacity = text.split()
    own = {
        "name": "chat",
        "sku": {"name": sku, "capacity": int(capacity)},
        "properties": {"model": {"format": "OpenAI", "name": found, "version": version}},
    }
    azure.listed(f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/{name}/deployments", own)


@pytest.mark.parametrize(
    ("capacity", "state", "detail"),
    [
        ("30", "ok", "OpenAI.GlobalStandard.gpt-4o: 20 of 50 used, 30 more needed"),
        ("31", "blocker", "OpenAI.GlobalStandard.gpt-4o: 20 of 50 used, 31 more needed"),
    ],
)
def test_quota_is_compared_with_the_capacity(
    tmp_path: Path, azure: FakeAzure, capacity: str, state: str, detail: str
) -> None:
    result = checked(tmp_path, azure, chat=f"gpt-4o 2024-11-20 GlobalStandard {capacity}")
    assert short(result) == [(state, detail)]
    assert ("https://aka.ms/oai/stuquotarequest" in result[0].remedy) is (state == "blocker")


def test_deployments_of_one_quota_are_added(tmp_path: Path, azure: FakeAzure) -> None:
    one = "gpt-4o 2024-11-20 GlobalStandard 20"
    assert short(checked(tmp_path, azure, chat=one, other=one)) == [
        ("blocker", "OpenAI.GlobalStandard.gpt-4o: 20 of 50 used, 40 more needed")
    ]


def test_a_second_deployment_needs_only_its_growth(tmp_path: Path, azure: FakeAzure) -> None:
    azure.listed(f"{LOCATION}/usages", quota("OpenAI.GlobalStandard.gpt-4o", 50, 50))
    deployed(azure, tmp_path, "gpt-4o 2024-11-20 GlobalStandard 50")
    for capacity, expected in (
        ("50", ("ok", "OpenAI.GlobalStandard.gpt-4o: 50 of 50 used, 0 more needed")),
        ("40", ("ok", "OpenAI.GlobalStandard.gpt-4o: 50 of 50 used, 0 more needed")),
        ("51", ("blocker", "OpenAI.GlobalStandard.gpt-4o: 50 of 50 used, 1 more needed")),
    ):
        assert short(checked(tmp_path, azure, chat=f"gpt-4o 2024-11-20 GlobalStandard {capacity}")) == [expected]


def test_a_deployed_model_may_have_left_the_list(tmp_path: Path, azure: FakeAzure) -> None:
    deployed(azure, tmp_path, "gpt-4 0613 Standard 10")
    assert checked(tmp_path, azure, chat="gpt-4 0613 Standard 10") == []
    assert [each.state for each in checked(tmp_path, azure, chat="gpt-4 0614 Standard 10")] == ["blocker"]


@pytest.mark.parametrize(
    ("wanted", "detail", "remedy"),
    [
        ("gpt-9 1 Standard 1", "chat: westeurope has no model gpt-9", "model to one of gpt-4o, gpt-5"),
        (
            "gpt-4o 2025-01-01 Standard 1",
            "chat: westeurope has no version 2025-01-01 of gpt-4o",
            "Set openai.deployments.chat.version to one of 2024-08-06, 2024-11-20",
        ),
        (
            "gpt-4o 2024-11-20 Standard 1",
            "chat: westeurope has no Standard deployments of gpt-4o 2024-11-20",
            "Set openai.deployments.chat.sku_name to one of GlobalStandard",
        ),
    ],
)
def test_what_the_region_lacks_is_a_blocker(
    tmp_path: Path, azure: FakeAzure, wanted: str, detail: str, remedy: str
) -> None:
    (result,) = checked(tmp_path, azure, chat=wanted)
    assert (result.state, result.detail) == ("blocker", detail)
    assert remedy in result.remedy


def test_a_subscription_without_quota_is_stopped(tmp_path: Path, azure: FakeAzure) -> None:
    assert short(checked(tmp_path, azure, chat="gpt-5 2026-01-01 GlobalStandard 1")) == [
        ("blocker", "OpenAI.GlobalStandard.gpt-5: 0 of 0 used, 1 more needed")
    ]


def test_a_quota_that_azure_does_not_name_decides_nothing(tmp_path: Path, azure: FakeAzure) -> None:
    (result,) = checked(tmp_path, azure, chat="gpt-4o 2024-08-06 Standard 1")
    assert result.state == "unknown"
    assert "Azure names no quota OpenAI.Standard.gpt-4o" in result.detail


@pytest.mark.parametrize(("days", "state"), [(-1, "blocker"), (30, "warning"), (90, None)])
def test_a_models_retirement_is_told(tmp_path: Path, azure: FakeAzure, days: int, state: str | None) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    dated = model(
        "gpt-4o", "2024-11-20", "GlobalStandard", deprecation={"inference": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
    )
    azure.listed(f"{LOCATION}/models", dated)
    result = checked(tmp_path, azure, chat="gpt-4o 2024-11-20 GlobalStandard 1")
    assert [each.state for each in result] == [*([state] if state else []), "ok"]
    if state:
        assert result[0].detail == f"chat: Azure retires gpt-4o 2024-11-20 on {end.date()}"


def test_a_retired_model_that_is_deployed_stops_nothing(tmp_path: Path, azure: FakeAzure) -> None:
    retired = model("gpt-4o", "2024-11-20", "GlobalStandard", deprecation={"inference": "2026-01-31T00:00:00Z"})
    azure.listed(f"{LOCATION}/models", retired)
    deployed(azure, tmp_path, "gpt-4o 2024-11-20 GlobalStandard 1")
    result = checked(tmp_path, azure, chat="gpt-4o 2024-11-20 GlobalStandard 1")
    assert [each.state for each in result] == ["warning", "ok"]


def test_all_pages_are_read(tmp_path: Path, azure: FakeAzure) -> None:
    azure.answer(
        f"{LOCATION}/models",
        {"value": [model("gpt-5", "1")], "nextLink": f"{azure.endpoint}{LOCATION}/models?page=2"},
        {"value": [model("gpt-4o", "2024-11-20", "globalstandard")]},
    )
    azure.listed(f"{LOCATION}/usages", quota("openai.GlobalStandard.GPT-4o", 0, 10))
    result = checked(tmp_path, azure, chat="gpt-4o 2024-11-20 GlobalStandard 10")
    assert [each.state for each in result] == ["ok"]


@pytest.mark.parametrize("path", ["models", "usages"])
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (error(403, "AuthorizationFailed"), "HTTP 403"),
        (error(429, "TooManyRequests", Retry_After="300"), "wait 300 seconds"),
        (Reply(200, b"[]"), "no JSON object"),
        ({"value": [{"odd": 1}]}, "another form than expected"),
    ],
)
def test_an_answer_that_decides_nothing_is_never_a_pass(
    tmp_path: Path, azure: FakeAzure, path: str, answer: Any, text: str
) -> None:
    azure.answer(f"{LOCATION}/{path}", answer)
    (result,) = checked(tmp_path, azure, chat="gpt-4o 2024-11-20 GlobalStandard 1")
    assert result.state == "unknown"
    assert text in result.detail
