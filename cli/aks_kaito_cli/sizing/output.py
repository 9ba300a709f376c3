"""The size of an environment for a terminal, and as plain data."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from aks_kaito.settings import Environment
from aks_kaito_cli.answers import Answer, Finding, exit_status
from aks_kaito_cli.project import environment_file
from aks_kaito_cli.sizing.plan import Key, Plan, SizedModel
from aks_kaito_cli.sizing.simulation import Outcome, share

_HALF, _MOST, _SLOW = 0.5, 0.95, 0.05


def answer(environment: Environment, plan: Plan, findings: Sequence[Finding]) -> Answer:
    """Return the answer with all figures."""
    return Answer(
        findings,
        _sentence(environment, plan),
        _following(environment, plan),
        exit_status(findings),
        {"assumptions": plan.assumed.sentence(), **_data(plan)},
    )


def tables(plan: Plan) -> Iterator[Table]:
    """Yield the table of the models, and that of the keys."""
    models = _table("Model", "Replicas", "First text", "Answers", "Waiting", "Tokens/s", "Speed")
    for each in plan.models:
        models.add_row(escape(each.gpu.name), *_cells(each))
    yield models
    keys = _table("Key", "Now", "Needed", "Because of")
    keys.columns[-1].justify = "left"
    for key in plan.keys:
        style = "yellow" if key.needed != key.present else ""
        keys.add_row(escape(key.name), str(key.present), str(key.needed), escape(key.reason), style=style)
    yield keys


def notes(plan: Plan) -> Iterator[str]:
    """Yield the legend, the sources of the speeds, the assumptions, and the lines for the environment file."""
    yield "Simulated. First text: seconds, median and 95 in 100. Answers, waiting: mean and most"
    yield "at once. Speed: tokens per second that 95 in 100 answers reach."
    for each in plan.models:
        if each.speed is not None:
            most = each.speed.most_tokens_per_second(each.load.prompt.mean, each.load.answer.mean)
            yield (
                f"{each.gpu.name}: {each.gpu.preset} on {each.gpu.instance_type or 'existing nodes'}, speed from "
                f"{each.speed.source}; at most {most:,.0f} tokens per second and replica."
            )
    yield plan.assumed.sentence()
    if plan.changes:
        yield "Keys to write:"
        yield from toml(plan.changes)


def toml(keys: Sequence[Key]) -> Iterator[str]:
    """Yield the lines of an environment file with the needed values."""
    table = ""
    for key in keys:
        owner, _, name = key.name.rpartition(".")
        if owner != table:
            yield f"[{owner}]"
            table = owner
        yield f'{name} = "{key.needed}"' if isinstance(key.needed, str) else f"{name} = {key.needed}"


def _cells(each: SizedModel) -> tuple[str, ...]:
    if each.found is None:
        return ("?", "", "", "", "", "")
    found = each.found.outcome
    replicas = f"{each.found.replicas}" if each.found.is_enough else f"> {each.found.replicas}"
    return (
        replicas,
        f"{share(found.first_text, _HALF):.2f} / {share(found.first_text, _MOST):.2f}",
        f"{found.running:.1f} / {found.most_running}",
        f"{found.waiting:.1f} / {found.most_waiting}",
        f"{found.tokens_per_second:,.0f}",
        f"{share(found.speeds, _SLOW):.0f}",
    )


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column(headings[0], no_wrap=True, overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, justify="right", overflow="fold")
    return table


def _sentence(environment: Environment, plan: Plan) -> str:
    users = f"{environment.name} for {_counted(plan.assumed.users, 'user')}"
    if any(each.found is None for each in plan.models):
        return f"{users}: the speed of a model is unknown."
    if not all(each.found.is_enough for each in plan.models if each.found):
        return f"{users}: no number of replicas suffices."
    replicas = sum(each.found.replicas for each in plan.models if each.found)
    parts = f"{_counted(replicas, 'replica')}, {_counted(plan.pods, 'pod')} of the chat"
    return f"{users}: {parts}{'' if plan.changes else '; the environment file has them'}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _following(environment: Environment, plan: Plan) -> str:
    again = f"make size ENV={environment.name} USERS={plan.assumed.users}"
    if any(each.found is None for each in plan.models):
        return f"{again} SIZE='--tokens-per-second NUMBER', with a measured one"
    if not all(each.found.is_enough for each in plan.models if each.found):
        return f"choose another instance_type in {environment_file(environment.name)}, then {again}"
    if plan.changes:
        return f"write the values to {environment_file(environment.name)}, then make preflight ENV={environment.name}"
    return f"make cost ENV={environment.name}"


def _data(plan: Plan) -> dict[str, Any]:
    return {
        "users": plan.assumed.users,
        "active_users": plan.assumed.active_users,
        "models": [_model(each) for each in plan.models],
        "chat": {"pods": plan.pods, "answers_at_once": plan.answers},
        "database": {
            "connections": plan.connections,
            "gib_per_year": round(plan.gib_per_year, 3),
            "sku_name": plan.sku_name,
            "storage_gib": plan.storage_gib,
        },
        "keys": [
            {"key": key.name, "present": key.present, "needed": key.needed, "reason": key.reason} for key in plan.keys
        ],
    }


def _model(each: SizedModel) -> dict[str, Any]:
    found = each.found
    return {
        "name": each.gpu.name,
        "preset": each.gpu.preset,
        "instance_type": each.gpu.instance_type,
        "speed_source": each.speed.source if each.speed else None,
        "replicas": found.replicas if found else None,
        "is_enough": found.is_enough if found else None,
        "quota_family": each.gpu.quota_family,
        "vcpus": each.vcpus,
        "simulation": outcome_data(found.outcome) if found else None,
    }


def outcome_data(found: Outcome) -> dict[str, Any]:
    """Return a simulation as plain data."""
    return {
        "questions": found.asked,
        "answered": found.answered,
        "refused": found.refused,
        "timed_out": found.timed_out,
        "first_text_seconds": {
            "p50": round(share(found.first_text, _HALF), 3),
            "p95": round(share(found.first_text, _MOST), 3),
        },
        "answer_tokens_per_second_p5": round(share(found.speeds, _SLOW), 1),
        "running": {"mean": round(found.running, 2), "most": found.most_running},
        "waiting": {"mean": round(found.waiting, 2), "most": found.most_waiting},
        "tokens_per_second": round(found.tokens_per_second, 1),
    }
