"""The checks of `preflight` as the first step of a deployment."""

from dataclasses import replace

from aks_kaito_cli.answers import BLOCKED, show
from aks_kaito_cli.pages import PREFLIGHT
from aks_kaito_cli.preflight import run, subscription
from aks_kaito_cli.shell import BlockedError, RefusedError, Shell

_STOPPED = """\
Nothing was changed. If a blocker is wrong, begin without these checks: SKIP_PREFLIGHT=1 ({page})"""
_UNUSABLE = """\
{error}
Nothing was changed. Sign in (az login), or begin without the checks of Azure: SKIP_PREFLIGHT=1 ({page})"""


def check(shell: Shell) -> None:
    """Show who deploys and where, and everything that may stop the deployment.

    A check that could not be decided stops nothing: Terraform finds out, and the identity of a pipeline may often write
    more than it may read.

    Raises:
        BlockedError: The deployment would fail.
        RefusedError: Azure cannot be asked.
    """
    try:
        answer = run.answer(shell.environment, shell.variables)
    except run.UnusableError as error:
        raise RefusedError(_UNUSABLE.format(error=error, page=PREFLIGHT)) from None
    for finding in answer.findings:
        if finding.group == subscription.GROUP and finding.state in ("ok", "info"):
            print(f"{finding.subject}: {finding.detail}")
    show(replace(answer, next_command=""), as_json=False, all_states=False)
    if answer.exit_status == BLOCKED:
        raise BlockedError(_STOPPED.format(page=PREFLIGHT))
