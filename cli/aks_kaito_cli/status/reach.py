"""The path to the cluster: direct, else through Azure's run command, else none."""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal

from aks_kaito.settings import Environment
from aks_kaito_cli.cluster import invoke, signed_in
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.shell import MissingProgramError, Shell, Step, StepError
from aks_kaito_cli.status.objects import Object, line
from aks_kaito_cli.status.questions import QUESTIONS, Question, Section, answered, questions, refused, script, sections
from aks_kaito_cli.terminal import threads

Path = Literal["direct", "run command", "none"]
_CONNECT_SECONDS, _SIGN_IN_SECONDS, _KUBECTL_SECONDS, _RUN_SECONDS = 5, 60, 25, 180
_HTTPS = 443
_AT_ONCE = 6
_PROXIES = ("HTTPS_PROXY", "https_proxy")
# Words of kubectl for an API server that it does not reach; a refusal is an answer.
_UNREACHED = re.compile(
    r"Unable to connect to the server|connection to the server .* was refused|no such host|i/o timeout|TLS handshake"
    r" timeout|context deadline exceeded|Client\.Timeout|connection reset|no route to host|gave no answer in"
)


@dataclass(frozen=True)
class Cluster:
    """The cluster's answers.

    Attributes:
        reasons: For each better path, the reason why it was not taken.
    """

    path: Path
    reasons: tuple[str, ...] = ()
    answers: Mapping[str, Section] = field(default_factory=dict)

    def items(self, key: str) -> tuple[Object, ...]:
        """Return the objects of a question; none if it was not answered."""
        return self.answers[key].items if key in self.answers else ()

    def text(self, key: str) -> str:
        """Return the text of a question."""
        return self.answers[key].text if key in self.answers else ""

    def error(self, key: str) -> str:
        """Return the reason why a question has no answer; empty if it has one."""
        return self.answers[key].error if key in self.answers else "the cluster cannot be read"


class Reader:
    """Ask the cluster over the best path, which is looked for once."""

    def __init__(self, environment: Environment, variables: Mapping[str, str], subscription: str | None) -> None:
        """Remember the environment and the subscription in which it is."""
        chosen = {"ARM_SUBSCRIPTION_ID": subscription} if subscription else {}
        self._environment = environment
        self._variables = {**variables, **chosen}
        self._stack = ExitStack()
        self._kubectl: Kubectl | None = None
        self._reasons: list[str] = []
        self._direct = True
        self._worked = False

    def close(self) -> None:
        """Remove the temporary kubeconfig."""
        self._stack.close()

    def read(self, host: str) -> Cluster:
        """Return the cluster's answers; `host` is the API server's name in Azure, empty if it is unknown."""
        if self._direct and (answers := self._directly(host)) is not None:
            self._worked = True
            return Cluster("direct", (), answers)
        # A path that has worked is tried again: the API server may have been away for a moment.
        self._direct = self._worked
        if (answers := self._by_run_command()) is not None:
            return Cluster("run command", tuple(self._reasons[:1]), answers)
        return Cluster("none", tuple(self._reasons))

    def _directly(self, host: str) -> Mapping[str, Section] | None:
        self._reasons = []
        try:
            if self._kubectl is None:
                _connect(host, self._variables)
                self._kubectl = self._stack.enter_context(
                    signed_in(self._shell(), quiet=True, seconds=_SIGN_IN_SECONDS)
                )
        except OSError as error:
            self._reasons.append(f"the API server {host} does not answer from here ({error})")
            return None
        except StepError as error:
            self._reasons.append(line(str(error)))
            return None
        asked = questions(self._environment.settings)
        with threads(_AT_ONCE) as pool:
            found = dict(zip(asked, pool.map(self._asked, asked, asked.values()), strict=True))
        # The shell that asks for downloads hides kubectl's failure.
        errors = [each.error for key, each in found.items() if QUESTIONS[key].words]
        if all(_UNREACHED.search(error) for error in errors):
            self._reasons.append(f"the API server does not answer from here ({line(errors[0], 200)})")
            return None
        return found

    def _asked(self, key: str, question: Question) -> Section:
        assert self._kubectl is not None  # noqa: S101 - `_directly` has signed in
        try:
            # One shell for each thread: a shell knows one running process.
            return answered(key, self._shell().ask(Step(f"read {key}", question.of(self._kubectl)), _KUBECTL_SECONDS))
        except StepError as error:
            return refused(key, error.last_line or line(str(error)))

    def _by_run_command(self) -> Mapping[str, Section] | None:
        settings = self._environment.settings
        if not settings.cluster.run_command_enabled:
            self._reasons.append("cluster.run_command_enabled = false")
            return None
        shell = self._shell()
        try:
            ended = invoke(shell, "run a command in the cluster", script(settings), _RUN_SECONDS)
        except StepError as error:
            said = error.last_line or ("az is missing" if isinstance(error, MissingProgramError) else "no answer")
            self._reasons.append(line(f"az aks command invoke failed: {said}", 300))
            return None
        if not ended.logs.strip():
            self._reasons.append("az aks command invoke: the command printed nothing")
            return None
        return sections(ended.logs)

    def _shell(self) -> Shell:
        return Shell(self._environment, self._variables)


def _connect(host: str, variables: Mapping[str, str]) -> None:
    """Connect to the API server, because kubectl takes more than a minute to give up; a proxy connects by itself.

    Raises:
        OSError: It accepts no connection.
    """
    name, _, port = host.partition(":")
    if name and not any(variables.get(each) for each in _PROXIES):
        socket.create_connection((name, int(port or _HTTPS)), timeout=_CONNECT_SECONDS).close()


@contextmanager
def reader(environment: Environment, variables: Mapping[str, str], subscription: str | None) -> Iterator[Reader]:
    """Yield a reader, and remove its temporary files at the end."""
    found = Reader(environment, variables, subscription)
    try:
        yield found
    finally:
        found.close()
