"""The subcommand that sizes an environment for a number of users: `size`."""

from typing import Annotated

import typer

from aks_kaito.settings import SettingsError
from aks_kaito_cli.answers import UNUSABLE, Answer, findings_table, show_failure
from aks_kaito_cli.groups.arguments import Environment
from aks_kaito_cli.project import environment_named
from aks_kaito_cli.sizing import assumptions, limits, load, output, plan
from aks_kaito_cli.sizing.replicas import Target
from aks_kaito_cli.sizing.speeds import Sources
from aks_kaito_cli.terminal import Terminal

_MOST_USERS = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the subcommand to the application."""
    app.command(epilog="Example: aks-kaito size prod --users 500 --metrics http://127.0.0.1:5000/metrics")(size)


def size(  # noqa: PLR0913 (each is an option)
    environment: Environment,
    *,
    users: Annotated[int, typer.Option(min=1, max=_MOST_USERS, metavar="NUMBER", help="Number of users.")],
    active_percent: Annotated[
        float, typer.Option(min=0.01, max=100, help="Percentage of them who ask in the busiest hour.")
    ] = assumptions.ACTIVE_PERCENT,
    questions_per_hour: Annotated[
        float, typer.Option(min=0.01, max=1800, help="Questions of each of these in that hour.")
    ] = assumptions.QUESTIONS_PER_HOUR,
    prompt_tokens: Annotated[
        float, typer.Option(min=1, max=1_000_000, help="Tokens of a prompt with its conversation, mean.")
    ] = load.PROMPT.mean,
    answer_tokens: Annotated[
        float, typer.Option(min=1, max=100_000, help="Tokens of an answer, mean.")
    ] = load.ANSWER.mean,
    cached_percent: Annotated[
        float, typer.Option(min=0, max=100, help="Percentage of a prompt in the prefix cache of its replica.")
    ] = 0.0,
    first_text_seconds: Annotated[
        float, typer.Option(min=0.01, max=120, help="Longest time to the first text, for 95 in 100 questions.")
    ] = Target.first_text_seconds,
    answer_speed: Annotated[
        float, typer.Option(min=0, max=1000, help="Lowest tokens per second of an answer, for 95 in 100.")
    ] = Target.answer_tokens_per_second,
    busy_hours_per_year: Annotated[
        float, typer.Option(min=1, max=8784, help="Number of such hours that make a year's questions.")
    ] = assumptions.BUSY_HOURS_PER_YEAR,
    share: Annotated[
        list[str] | None, typer.Option(metavar="MODEL=PERCENT", help="Percentage of the users of a model; repeatable.")
    ] = None,
    tokens_per_second: Annotated[
        float, typer.Option(min=0, help="Measured: tokens of answers per second of a replica under full load.")
    ] = 0.0,
    metrics: Annotated[
        str, typer.Option(metavar="FILE|URL", help="Measured: vLLM's metrics, read while users ask.")
    ] = "",
    kaito_status: Annotated[
        str,
        typer.Option(metavar="FILE", help="Measured: JSON of a Workspace or InferenceSet (0.12); - is stdin."),
    ] = "",
    model: Annotated[str, typer.Option(metavar="NAME", help="The model that was measured, if there are several.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what an environment needs for a number of users.

    For each model the number of replicas, then the chat's pods, the database, the keys to write, and what limits them.
    A simulation of the users finds the smallest number of replicas. The speed of a model is measured (one of the last
    options), or from public figures of its GPU. docs/explanation/sizing.md explains the method.

    Needs no sign-in. An address of metrics is read twice, 15 seconds apart.

    Exit status: 0; 1 if a limit stops it; 2 if an argument is unusable; 3 if the speed of a model is unknown.
    """
    try:
        named = environment_named(environment)
        assumed = assumptions.Assumptions(
            users=users,
            active_percent=active_percent,
            questions_per_hour=questions_per_hour,
            prompt_tokens=prompt_tokens,
            answer_tokens=answer_tokens,
            cached_percent=cached_percent,
            busy_hours_per_year=busy_hours_per_year,
            shares=_shares(share or []),
            target=Target(first_text_seconds, answer_speed),
        )
        found = plan.of(named, assumed, Sources(tokens_per_second, metrics, kaito_status), model)
    except (SettingsError, ValueError) as error:
        raise typer.Exit(show_failure(str(error), exit_status=UNUSABLE, as_json=as_json)) from None
    answer = output.answer(named, found, list(limits.findings(found, named.settings)))
    if as_json:
        print(answer.as_json())
    else:
        _show(answer, found)
    raise typer.Exit(answer.exit_status)


def _shares(given: list[str]) -> dict[str, float]:
    found = {}
    for text in given:
        name, _, percent = text.partition("=")
        try:
            found[name] = float(percent)
        except ValueError:
            raise ValueError(f"--share {text}: must be MODEL=PERCENT, such as default=70") from None
    return found


def _show(answer: Answer, found: plan.Plan) -> None:
    console = Terminal()
    for table in (*output.tables(found), findings_table(answer.findings)):
        console.print(table)
    for finding in answer.findings:
        if finding.remedy:
            console.print(f"{finding.state}: {finding.subject}: {finding.remedy}", markup=False, soft_wrap=True)
    for line in (*output.notes(found), answer.sentence, f"Next: {answer.next_command}"):
        console.print(line, markup=False, soft_wrap=True)
