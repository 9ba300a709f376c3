"""The answer of one look: findings, a sentence, the next command, and the table of stages."""

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from aks_kaito.charts.ours import published
from aks_kaito.settings import Environment
from aks_kaito_cli.answers import BLOCKED, FINE, Answer, Finding, exit_status
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.status.look import Look, ModelState
from aks_kaito_cli.status.models import cause_of, in_progress, last_words
from aks_kaito_cli.status.objects import duration
from aks_kaito_cli.status.stages import SOURCE, TYPICAL_SECONDS

_STYLES = {"done": "green", "now": "bold cyan", "waiting": "dim"}
_PORT = 8000


def answer(seen: Look, findings: Sequence[Finding], environment: Environment) -> Answer:
    """Return the answer for the findings."""
    status = exit_status(findings)
    sentence, following = _sentence(seen, findings, environment, status)
    return Answer(findings, sentence, following, status, {"path": seen.cluster.path, "models": _models(seen)})


def _sentence(seen: Look, findings: Sequence[Finding], environment: Environment, status: int) -> tuple[str, str]:
    again = f"make status ENV={environment.name} WATCH=1"
    if status == BLOCKED:
        found = next(each for each in findings if each.state == "blocker")
        return f"{environment.name} is not ready: {_reason(seen, found, environment)}.", _command(found.remedy) or again
    if status == FINE:
        return _ready(seen, findings, environment)
    waiting = next((each for each in seen.models if each.step and not each.diagnosis), None)
    if waiting:
        return f"{environment.name}: {waiting.replica.name} {in_progress(waiting)}.", again
    found = next(each for each in findings if each.state == "unknown")
    reason = f"{found.subject}: {found.detail}"
    if found.subject == "path":
        reason = "the cluster cannot be read, and Azure alone shows no failed node pool"
    return f"{environment.name}: could not be decided: {reason}.", _command(found.remedy) or again


def _ready(seen: Look, findings: Sequence[Finding], environment: Environment) -> tuple[str, str]:
    warned = [each for each in findings if each.state == "warning"]
    names = [each.replica.name for each in seen.models]
    answers = f"{' and '.join(names)} {'answer' if len(names) > 1 else 'answers'}" if names else "nothing is in the way"
    more = f"; {len(warned)} warnings" if len(warned) > 1 else "; 1 warning" if warned else ""
    following = next((each.remedy for each in warned if each.remedy), "")
    return f"{environment.name} is ready: {answers}{more}.", _command(following) or _open(environment)


def _reason(seen: Look, found: Finding, environment: Environment) -> str:
    """Return a blocker in a few words: the cause of a model without its evidence."""
    state = next((each for each in seen.models if each.replica.name == found.subject and each.diagnosis), None)
    return cause_of(state, environment) if state else f"{found.subject}: {found.detail}"


def _command(remedy: str) -> str:
    """Return the first part of a remedy."""
    return remedy.partition("; ")[0]


def _open(environment: Environment) -> str:
    ingress = environment.settings.ingress
    if published(ingress):
        return f"open https://{ingress.hostname}"
    return " ".join(Kubectl(environment.settings.chat.namespace).forward_chat(_PORT))


def _models(seen: Look) -> list[dict[str, object]]:
    return [
        {
            "name": each.replica.name,
            "model": each.replica.model,
            "ready": each.step is None,
            "cause": each.diagnosis.cause.key if each.diagnosis else None,
            "evidence": each.diagnosis.evidence._asdict() if each.diagnosis else None,
            "last_words": last_words(each),
            "stages": [
                {
                    "stage": step.stage.value,
                    "state": step.state,
                    "seconds": step.seconds,
                    "typical_seconds": TYPICAL_SECONDS[step.stage],
                }
                for step in each.steps
            ],
        }
        for each in seen.models
    ]


def stages(models: Sequence[ModelState]) -> Table | None:
    """Return the table of stages; None where all models answer, or there is none."""
    shown = [each for each in models if each.step is not None]
    if not shown:
        return None
    table = Table(box=box.SIMPLE, pad_edge=False, caption=f"Typical: {SOURCE}", caption_justify="left")
    for heading in ("Model", "Stage", "State"):
        table.add_column(heading, overflow="fold")
    table.add_column("Time", justify="right")
    table.add_column("Typical", justify="right")
    for each in shown:
        for index, step in enumerate(each.steps):
            state = "failed" if step.state == "now" and each.diagnosis else step.state
            style = "bold red" if state == "failed" else _STYLES[step.state]
            table.add_row(
                escape(each.replica.name) if index == 0 else "",
                step.stage.value,
                f"[{style}]{state}[/]",
                "" if step.seconds is None else duration(step.seconds),
                duration(TYPICAL_SECONDS[step.stage]),
            )
    return table


def progress(seen: Look) -> list[str]:
    """Return one line for each model, for a log of changes."""
    lines = []
    for each in seen.models:
        if each.diagnosis:
            lines.append(f"{each.replica.name}: cannot become ready: {each.diagnosis.cause.key}")
        elif each.step:
            lines.append(f"{each.replica.name}: {each.step.stage}")
        else:
            lines.append(f"{each.replica.name}: answers")
    return lines
