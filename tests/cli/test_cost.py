"""The subcommand `cost`, over the price list and Cost Management on loopback."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aks_kaito.settings import Environment
from aks_kaito_cli.app import application
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError, ForbiddenError, SignInError, ThrottledError
from aks_kaito_cli.cost.actual import Period, billed, month_to_date, totals
from support import fake_azure, forked, prices, stand_ins
from support.fake_azure import Credential, FakeAzure
from support.prices import Answer, FakePrices
from support.project import ROOT

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
QUERY = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CostManagement/query"
MONTH = Period(date(2026, 11, 1), date(2026, 11, 23))
COLUMNS = [
    {"name": "Cost", "type": "Number"},
    {"name": "ResourceGroupName", "type": "String"},
    {"name": "ServiceName", "type": "String"},
    {"name": "Currency", "type": "String"},
]
NODES = "mc_rg-kaito-dev-westeurope_aks-kaito-dev-westeurope_westeurope"


@pytest.fixture
def fake() -> Iterator[FakePrices]:
    with prices.running() as found:
        yield found


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with fake_azure.running() as found:
        yield found


def run(tmp_path: Path, endpoint: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    surroundings = {
        "AKS_KAITO_PRICES_ENDPOINT": endpoint,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "COLUMNS": "80",
        **variables,
    }
    return forked.run(["cost", *arguments], {**os.environ, **surroundings})


def test_dev_in_a_terminal(fake: FakePrices, tmp_path: Path) -> None:
    ran = run(tmp_path, fake.endpoint, "dev", "--hours-on", "50/week")
    assert (ran.returncode, ran.stderr) == (0, "")
    for line in (
        "system nodes, Standard_D4ads_v5 1-3 182.50 365.00 547.50",
        "without GPU nodes 318.97 592.72 866.47",
        "GPU nodes of the model, 1 3,036.80 3,036.80 3,036.80",
        "all together 3,355.77 3,629.52 3,903.27",
        "model: phi-4-mini-instruct, 1 4.16 4.16 1",
        "dev costs at least 3,356 to 3,903 USD per month, 3,037 of them for GPU nodes.",
        "GPU nodes that run only 50 of 168 hours a week save 2,133 USD per month.",
        "Next: make cost ENV=dev ACTUAL=1, some days after the deployment",
    ):
        assert line in re.sub(" +", " ", ran.stdout)
    assert max(map(len, ran.stdout.split("Prices of")[0].splitlines())) <= 80


def test_the_page_shows_the_output(fake: FakePrices, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "how-to" / "see-what-it-costs.md").read_text(encoding="utf-8")
    shown = text.partition("```text\n")[2].partition("```")[0]
    ran = run(tmp_path, fake.endpoint, "dev", "--hours-on", "50/week", COLUMNS="100")
    lines = [re.sub(r"\d{4}-\d\d-\d\d", "DATE", line.rstrip()) for line in ran.stdout.splitlines() if line.strip()]
    assert [re.sub(r"\d{4}-\d\d-\d\d", "DATE", line) for line in shown.splitlines() if line] == lines


def test_json_has_all_numbers_and_a_second_run_asks_nothing(fake: FakePrices, tmp_path: Path) -> None:
    run(tmp_path, fake.endpoint, "dev", "--json", "--currency", "eur")
    asked = len(fake.requests)
    ran = run(tmp_path, fake.endpoint, "dev", "--format", "json", "--currency", "EUR", "--hours-on", "12/day")
    assert asked == len(fake.requests) == 7
    found = json.loads(ran.stdout)
    assert (found["exit_status"], found["currency"]) == (0, "EUR")
    assert found["totals"]["all"] == {"minimum": 3020.19, "expected": 3266.57, "maximum": 3512.94}
    (gpu,) = found["gpus"]
    assert (gpu["hourly_per_node"], gpu["nodes_per_replica"], gpu["replicas"]) == (
        3.744,
        1,
        {"minimum": 1, "maximum": 1},
    )
    assert found["saving"]["expected"] == 1366.56
    assert [each["label"] for each in found["not_priced"]] == ["Managed Grafana, Standard, units"]
    assert "Azure Monitor workspace: metrics, per sample ingested and queried" in found["billed_by_use"]


def test_without_a_price_list_nothing_is_invented(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    ran = run(tmp_path, endpoint, "dev")
    assert (ran.returncode, ran.stderr) == (3, "")
    assert f"The cost of dev cannot be told: {endpoint} cannot be reached" in ran.stdout
    assert f"Next: make cost ENV=dev, on a machine that reaches {endpoint}" in ran.stdout
    assert "USD per month" not in ran.stdout


def test_a_part_of_the_prices_is_shown_and_undecided(fake: FakePrices, tmp_path: Path) -> None:
    fake.answers = [Answer(403, b"blocked")]
    ran = run(tmp_path, fake.endpoint, "dev", "--json")
    found = json.loads(ran.stdout)
    assert (ran.returncode, found["exit_status"]) == (3, 3)
    reasons = [each["reason"] for each in found["not_priced"]]
    # Questions are asked side by side: the one that is refused first may be that of one or of two lines.
    assert len(reasons) in (1, 2)
    assert any("HTTP 403: blocked" in each for each in reasons)
    assert found["totals"]["all"]["minimum"] > 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], 'ENV = "nowhere": must be one of: dev, prod, sample'),
        (["dev", "--hours-on", "200/week"], "--hours-on '200/week': a week has 168 hours"),
        (["dev", "--hours-on", "night"], "must be hours per day, week or month, such as 50/week"),
        (["dev", "--currency", "euro"], "must be a code of three letters"),
        (["dev", "--diff", "no-such-revision"], "base 'no-such-revision'"),
        (["dev", "--format", "poem"], "'poem'"),
        (["dev", "--actual", "--diff", "main"], "--actual and --diff cannot be combined"),
        (["dev", "--diff", "main", "--hours-on", "9/day"], "--diff and --hours-on cannot be combined"),
    ],
)
def test_an_unusable_argument_exits_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    ran = run(tmp_path, "http://127.0.0.1:9", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("command", ["cost", "gpu-pools"])
def test_without_the_extra_one_sentence_says_so(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aks_kaito_cli.groups.operations.find_spec", lambda _name: None)
    ran = CliRunner().invoke(application(), [command, "dev"])
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert "needs the extra `operations`, which is not installed" in ran.stderr


def row(cost: Any, group: str, service: str, currency: str = "EUR") -> list[Any]:
    return [cost, group, service, currency]


def answer(*rows: list[Any], following: str | None = None) -> dict[str, Any]:
    return {"id": "x", "properties": {"nextLink": following, "columns": COLUMNS, "rows": list(rows)}}


def test_actual_cost_is_asked_by_tag_and_by_both_groups(azure: FakeAzure, environments: dict[str, Environment]) -> None:
    azure.answer(QUERY, answer(row(12.5, NODES, "Virtual Machines")))
    (found,) = billed(Arm(Credential(), azure.endpoint), SUBSCRIPTION, environments["dev"], MONTH)
    assert (found.cost, found.service, found.is_own) == (Decimal("12.5"), "Virtual Machines", True)
    (asked,) = azure.requests
    assert (asked.method, asked.query) == ("POST", {"api-version": ["2025-03-01"]})
    assert asked.body["timePeriod"] == {"from": "2026-11-01T00:00:00Z", "to": "2026-11-23T23:59:59Z"}
    groups = ["rg-kaito-dev-westeurope", "MC_rg-kaito-dev-westeurope_aks-kaito-dev-westeurope_westeurope"]
    assert asked.body["dataset"]["filter"] == {
        "or": [
            {"tags": {"name": "environment", "operator": "In", "values": ["dev"]}},
            {"dimensions": {"name": "ResourceGroupName", "operator": "In", "values": groups}},
        ]
    }


def test_all_pages_of_a_bill_are_asked_with_the_question(
    azure: FakeAzure, environments: dict[str, Environment]
) -> None:
    following = f"{azure.endpoint}{QUERY}?api-version=2025-03-01&$skiptoken=x"
    azure.answer(
        QUERY,
        answer(row(1, "rg-kaito-dev-westeurope", "Storage"), following=following),
        answer(row(30, NODES, "Virtual Machines"), row(2, "other", "Storage", "USD")),
    )
    found = billed(Arm(Credential(), azure.endpoint), SUBSCRIPTION, environments["dev"], MONTH)
    assert [(each.group, float(each.cost), each.is_own) for each in found] == [
        (NODES, 30, True),
        ("other", 2, False),
        ("rg-kaito-dev-westeurope", 1, True),
    ]
    assert totals(found) == {"EUR": 31, "USD": 2}
    assert azure.requests[1].query["$skiptoken"] == ["x"]
    assert azure.requests[1].body == azure.requests[0].body


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (fake_azure.error(403, "RBACAccessDenied"), ForbiddenError, "RBACAccessDenied"),
        (fake_azure.error(401, "InvalidAuthenticationToken"), SignInError, "InvalidAuthenticationToken"),
        (fake_azure.error(429, "TooManyRequests", Retry_After="60"), ThrottledError, "asks to wait 60 seconds"),
        (answer(following="https://elsewhere.example/x"), AzureAnswerError, "which gets no token"),
        ({"properties": {"columns": COLUMNS[1:], "rows": [["g", "s", "EUR"]]}}, AzureAnswerError, "KeyError: 'Cost'"),
        ({"properties": {"columns": COLUMNS, "rows": [[1, "g", "s"]]}}, AzureAnswerError, "another form"),
        ({"properties": {"columns": COLUMNS, "rows": [row("much", "g", "s")]}}, AzureAnswerError, "another form"),
        ({"properties": {"columns": ["Cost"], "rows": [[1]]}}, AzureAnswerError, "another form"),
        (fake_azure.Reply(200, b"<html>"), AzureAnswerError, "no JSON object"),
    ],
)
def test_a_bill_that_cannot_be_read(
    azure: FakeAzure, environments: dict[str, Environment], reply: Any, kind: type[Exception], words: str
) -> None:
    azure.answer(QUERY, reply)
    with pytest.raises(kind, match=words):
        billed(Arm(Credential(), azure.endpoint), SUBSCRIPTION, environments["dev"], MONTH)


def test_a_month_without_costs_is_the_one_before() -> None:
    assert month_to_date(date(2026, 11, 23)) == MONTH
    assert month_to_date(date(2027, 1, 1)) == Period(date(2026, 12, 1), date(2026, 12, 31))


def test_actual_cost_in_a_terminal(azure: FakeAzure, tmp_path: Path) -> None:
    azure.answer(
        QUERY,
        answer(
            row(2912.4, NODES, "Virtual Machines"),
            row(20, "rg-kaito-dev-westeurope", "NAT Gateway"),
            row(3, "rg-elsewhere", "Storage"),
        ),
    )
    variables = stand_ins.prepare(
        tmp_path,
        answers={"account get-access-token": json.dumps({"accessToken": fake_azure.TOKEN, "expires_on": 4102444800})},
        variables={"AKS_KAITO_ARM_ENDPOINT": azure.endpoint, "ARM_SUBSCRIPTION_ID": SUBSCRIPTION},
    )
    ran = run(tmp_path, "http://127.0.0.1:9", "dev", "--actual", **variables)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Azure has billed 2,932.40 EUR for dev from " in ran.stdout
    assert ", and 3.00 EUR for resources elsewhere that have its tag; costs arrive up to" in ran.stdout
    for words in ("Virtual Machines 2,912.40", "NAT Gateway 20.00", "alone) Storage 3.00", "all together 2,935.40"):
        assert words in re.sub(r"\s+", " ", ran.stdout)
    azure.answer(QUERY, fake_azure.error(403, "RBACAccessDenied", "no access"))
    ran = run(tmp_path, "http://127.0.0.1:9", "dev", "--actual", **variables)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "Azure does not tell the cost of dev: HTTP 403 RBACAccessDenied" in ran.stderr
