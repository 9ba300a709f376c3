"""GPU pools: which ones KAITO made, whether they have owners, and what an unreadable cluster means."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from aks_kaito_cli.gpu_pools import cluster, overview, ownership
from aks_kaito_cli.gpu_pools.cluster import ClusterUnreadableError, Objects, Run, Way
from aks_kaito_cli.gpu_pools.overview import Reasons, age
from aks_kaito_cli.gpu_pools.ownership import State
from aks_kaito_cli.gpu_pools.pools import Owner, Pool, of_answer
from aks_kaito_cli.shell import Step, StepError
from support.kaito_pools import LABELS, POOL, agent_pool, crds, listed, node_claim, workspace
from support.project import ROOT

TERRAFORMS = frozenset({"system", "user"})
OWNER = Owner("Workspace", "kaito-chat", "kc-model")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def pool(**options: Any) -> Pool:
    return of_answer(agent_pool(**options), TERRAFORMS)


def objects(*items: dict[str, Any], definitions: str | None = None) -> Objects:
    """Read the objects through a way that answers with these."""
    return cluster.read([way(crds() if definitions is None else definitions, json.dumps(listed(*items)))])


def way(*answers: str | Exception, name: str = "kubectl", asked: list[tuple[str, ...]] | None = None) -> Way:
    remaining = iter(answers)

    @contextmanager
    def opened() -> Iterator[Run]:
        def run(words: tuple[str, ...]) -> str:
            if asked is not None:
                asked.append(words)
            found = next(remaining)
            if isinstance(found, Exception):
                raise found
            return found

        yield run

    return Way(name, opened)


def failure(reason: str) -> StepError:
    return StepError(Step("read KAITO's objects", ("kubectl",)), reason)


def test_a_pool_of_kaito_is_read_from_its_labels() -> None:
    found = pool(name="ws1a2b3c4d5", size="Standard_NC24ads_A100_v4", count=2)
    assert found == Pool(
        name="ws1a2b3c4d5",
        size="Standard_NC24ads_A100_v4",
        count=2,
        state="Succeeded",
        owner=OWNER,
        created=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        is_spot=False,
        is_stopped=False,
    )


@pytest.mark.parametrize(
    "options",
    [
        {"name": "system"},
        {"name": "user"},
        {"mode": "System"},
        {"labels": {"kaito.sh/workspace": "kc-model"}},
        {"labels": {"karpenter.sh/nodepool": "kaito"}},
        {"labels": None},
        {"labels": {"karpenter.sh/nodepool": "kaito", "kaito.sh/workspace": ""}},
    ],
)
def test_a_pool_that_kaito_did_not_make_has_no_owner(options: dict[str, Any]) -> None:
    assert pool(**options).owner is None


def test_a_pool_of_a_rag_engine_is_kaitos_too() -> None:
    labels = {"karpenter.sh/nodepool": "kaito", "kaito.sh/ragengine": "r", "kaito.sh/ragenginenamespace": "n"}
    assert pool(labels=labels).owner == Owner("RAGEngine", "n", "r")


def test_spot_stopped_and_unknown_ages_are_read() -> None:
    found = pool(spot=True, power="Stopped", created="yesterday")
    assert (found.is_spot, found.is_stopped, found.created) == (True, True, None)


@pytest.mark.parametrize(
    ("items", "state", "words"),
    [
        ([workspace(), node_claim()], State.OWNED, "Workspace kaito-chat/kc-model"),
        (
            [workspace(made_by="kc-set"), node_claim()],
            State.OWNED,
            "Workspace kaito-chat/kc-model of InferenceSet kc-set",
        ),
        ([workspace()], State.OWNED, "Workspace kaito-chat/kc-model, without a NodeClaim"),
        ([node_claim()], State.LEFT, "is gone, but the NodeClaim ws1a2b3c4d5 keeps the pool"),
        ([workspace(), node_claim(going=True)], State.GOING, "KAITO deletes the NodeClaim ws1a2b3c4d5"),
        ([], State.ORPHAN, "Workspace kaito-chat/kc-model is gone, and so is the NodeClaim"),
        ([workspace("other"), node_claim("ws999999999")], State.ORPHAN, "is gone"),
        ([workspace(namespace="elsewhere")], State.ORPHAN, "is gone"),
        ([{**workspace(), "kind": "RAGEngine"}], State.ORPHAN, "is gone"),
    ],
)
def test_each_state_of_a_pool(items: list[dict[str, Any]], state: State, words: str) -> None:
    found = ownership.of(pool(), objects(*items))
    assert (found.state, words in found.detail) == (state, True), found


def test_a_pool_that_azure_deletes_is_no_orphan() -> None:
    assert ownership.of(pool(state="Deleting"), objects()).state is State.GOING
    assert ownership.of(pool(state="Deleting"), None).state is State.GOING


def test_an_unreadable_cluster_is_unknown_and_never_an_orphan() -> None:
    assert ownership.of(pool(), None).state is State.UNKNOWN


def test_a_label_without_a_namespace_may_mean_any() -> None:
    labels = {"karpenter.sh/nodepool": "kaito", "kaito.sh/workspace": "kc-model"}
    assert ownership.of(pool(labels=labels), objects(workspace(namespace="elsewhere"))).state is State.OWNED


def test_a_cluster_without_kaito_has_no_owners() -> None:
    asked: list[tuple[str, ...]] = []
    definitions = "customresourcedefinition.apiextensions.k8s.io/certificates.cert-manager.io\n"
    found = cluster.read([way(definitions, asked=asked)])
    assert (found.owners, found.claims, len(asked)) == ({}, {}, 1)
    assert ownership.of(pool(), found).state is State.ORPHAN


def test_only_kinds_that_are_defined_are_asked_for() -> None:
    asked: list[tuple[str, ...]] = []
    definitions = crds("workspaces.kaito.sh", "nodeclaims.karpenter.sh", "gateways.gateway.networking.k8s.io")
    cluster.read([way(definitions, json.dumps(listed()), asked=asked)])
    assert asked[1][:2] == ("get", "workspaces.kaito.sh,nodeclaims.karpenter.sh")
    assert "--all-namespaces" in asked[1]


def test_the_next_way_is_taken_where_one_fails() -> None:
    found = cluster.read(
        [way(failure("no route to host")), way(crds(), json.dumps(listed(workspace())), name="run command")]
    )
    assert (found.way, list(found.owners)) == ("run command", [OWNER])


@pytest.mark.parametrize(
    "answers",
    [
        [failure("forbidden")],
        [crds(), failure("ended with exit status 1: Error from server (Forbidden): nodeclaims")],
        [""],
        [crds(), ""],
        [crds(), "[]"],
        [crds(), "{}"],
        [crds(), json.dumps({"kind": "Status", "items": []})],
        [crds(), json.dumps({"kind": "List", "items": None})],
        [crds(), json.dumps({"kind": "List", "items": [{"kind": "Workspace"}]})],
        [crds(), json.dumps(listed(workspace()))[:-20]],
    ],
)
def test_everything_else_is_unreadable(answers: Sequence[str | Exception]) -> None:
    with pytest.raises(ClusterUnreadableError, match="kubectl: "):
        cluster.read([way(*answers)])


def test_without_a_way_the_cluster_is_unreadable() -> None:
    with pytest.raises(ClusterUnreadableError, match="no way"):
        cluster.read([])


def priced(size: str, is_spot: bool) -> Decimal | None:  # noqa: FBT001 - as the price list is asked
    return {"Standard_NV36ads_A10_v5": Decimal("0.4") if is_spot else Decimal("4.16")}.get(size)


def answer(found: list[Pool], objects_: Objects | None, unreadable: str = "") -> Any:
    return overview.answer("dev", overview.rows(found, objects_, priced), Reasons(unreadable), "USD")


def test_the_price_is_that_of_all_nodes() -> None:
    assert overview.hourly(pool(count=2), priced) == Decimal("8.32")
    assert overview.hourly(pool(spot=True), priced) == Decimal("0.4")
    assert overview.hourly(pool(power="Stopped"), priced) == 0
    assert overview.hourly(pool(count=0), priced) == 0
    assert overview.hourly(pool(count=None), priced) is None
    assert overview.hourly(pool(size="Standard_NC1_v9"), priced) is None


def test_an_orphan_is_said_with_its_cost_and_the_command_that_deletes_it() -> None:
    found = answer([pool(), pool(name="user")], objects())
    assert found.exit_status == 1
    assert found.sentence == (
        "KAITO made 1 node pool in dev, for 4.16 USD per hour (3,037 per month);"
        " 1 is an orphan, for 4.16 USD per hour (3,037 per month)."
    )
    assert found.next_command == "make gpu-pools ENV=dev DELETE=ws1a2b3c4d5"
    assert "az aks stop" in found.more["warning"]


def test_orphans_without_a_price_cost_at_least_the_others() -> None:
    pools = [pool(), pool(name="ws222222222", size="Standard_NC1_v9")]
    assert "2 are orphans, for at least 4.16 USD per hour (3,037 per month)." in answer(pools, objects()).sentence
    assert answer(pools[1:], objects()).sentence == (
        "KAITO made 1 node pool in dev, for an unknown price; 1 is an orphan, for an unknown price."
    )


def test_owners_are_fine_and_an_unreadable_cluster_is_undecided() -> None:
    assert answer([pool()], objects(workspace(), node_claim())).exit_status == 0
    found = answer([pool()], None, "kubectl: no route to host")
    assert found.exit_status == 3
    assert "cannot be decided, so none is called an orphan" in found.sentence
    assert [each.state for each in found.findings] == ["unknown", "unknown"]
    assert answer([], None, "").sentence == "KAITO has no node pools in dev."


def test_a_nodeclaim_without_a_workspace_has_a_remedy() -> None:
    found = answer([pool()], objects(node_claim()))
    (finding,) = found.findings
    assert (finding.state, finding.remedy) == ("warning", "kubectl delete nodeclaim ws1a2b3c4d5")
    assert (found.exit_status, found.next_command) == (1, finding.remedy)
    assert found.sentence.endswith("; 1 has only a NodeClaim, for 4.16 USD per hour (3,037 per month).")


def test_a_failed_operation_of_azure_is_shown() -> None:
    (row,) = overview.rows([pool(state="Failed")], objects(workspace(), node_claim()), priced)
    assert (row.detail, row.as_data()["azure_state"]) == ("Workspace kaito-chat/kc-model (Azure: Failed)", "Failed")


@pytest.mark.parametrize(
    ("hours", "shown"), [(0.5, "30 min"), (1, "1 h"), (47, "47 h"), (48, "2 d"), (24 * 30, "30 d"), (-1, "0 min")]
)
def test_an_age_in_words(hours: float, shown: str) -> None:
    assert age(NOW - timedelta(hours=hours), NOW) == shown
    assert age(None, NOW) == "?"


def test_the_page_shows_the_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "100")

    def made(name: str, owner: str, **ago: float) -> Pool:
        created = f"{datetime.now(UTC) - timedelta(**ago):%Y-%m-%dT%H-%M-%SZ}"
        return pool(name=name, labels={**LABELS, "kaito.sh/workspace": owner}, created=created)

    pools = [
        made(POOL, "kc-model", hours=5.5),
        made("ws77e0b1c22", "kc-old", days=12.5),
        made("ws9f3d21ab0", "kc-next", seconds=9.5 * 60),
    ]
    owners = [workspace(made_by="kc-set"), node_claim(), workspace("kc-next"), node_claim("ws9f3d21ab0")]
    rows = overview.rows(pools, objects(*owners), priced)
    overview.show(overview.answer("dev", rows, Reasons(), "USD"), rows, "USD")
    text = (ROOT / "docs" / "how-to" / "delete-forgotten-gpu-pools.md").read_text(encoding="utf-8")
    shown = text.partition("```text\n")[2].partition("```")[0]
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert [line for line in shown.splitlines() if line] == printed
