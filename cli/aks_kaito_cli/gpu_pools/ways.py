"""Ways to run kubectl for an environment: directly, or through Azure's run command."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from aks_kaito_cli.cluster import invoke, signed_in
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.gpu_pools.cluster import Run, Way
from aks_kaito_cli.shell import Shell, Step, StepError

_PURPOSE = "read KAITO's objects"
_SIGN_IN_SECONDS, _KUBECTL_SECONDS, _RUN_SECONDS = 60, 25, 180


def ways(shell: Shell) -> list[Way]:
    """Return the ways to the cluster, the faster one first."""
    found = [Way("kubectl", lambda: _directly(shell))]
    if shell.environment.settings.cluster.run_command_enabled:
        found.append(Way("run command", lambda: _invoked(shell)))
    return found


@contextmanager
def _directly(shell: Shell) -> Iterator[Run]:
    with signed_in(shell, quiet=True, seconds=_SIGN_IN_SECONDS) as kubectl:
        yield lambda words: shell.ask(Step(_PURPOSE, kubectl.command(*words)), _KUBECTL_SECONDS)


@contextmanager
def _invoked(shell: Shell) -> Iterator[Run]:
    """Run kubectl in the cluster, where it needs no kubeconfig."""
    kubectl = Kubectl(shell.environment.settings.chat.namespace)

    def run(words: tuple[str, ...]) -> str:
        command = kubectl.command(*words)
        ended = invoke(shell, _PURPOSE, shlex.join(command), _RUN_SECONDS)
        if ended.exit_code:
            lines = ended.logs.strip().splitlines()
            reason = f"kubectl ended with exit status {ended.exit_code}"
            raise StepError(Step(_PURPOSE, command), reason, lines[-1] if lines else "")
        return ended.logs

    yield run
