"""A way into the cluster for as long as it is needed: a kubeconfig of its own, signed in as the settings say."""

import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aks_kaito.settings import Environment
from deploy_steps import Step, ask, az, run


@contextmanager
def kubeconfig(environment: Environment, *, quiet: bool = False) -> Iterator[str]:
    """The path of a kubeconfig of one environment's cluster, which is gone afterwards; nobody else's is touched.

    Quietly where it is no failure that there is no cluster yet.

    Raises:
        StepError: The cluster is not there, or az or kubelogin is not.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "kubeconfig"))
        # az converts whatever KUBECONFIG names for kubelogin by itself, and would take people's own.
        own = {"KUBECONFIG": str(Path(folder, "unused"))}
        for step in (
            Step("find the cluster", credentials(environment, path), variables=own),
            _sign_in(environment, path),
        ):
            (ask if quiet else run)(step, environment)
        yield path


def credentials(environment: Environment, path: str = "") -> tuple[str, ...]:
    """What writes a kubeconfig, into a file of its own or into people's."""
    place = ("--resource-group", environment.names.resource_group, "--name", environment.names.cluster)
    return az(environment, "aks", "get-credentials", *place, *(("--file", path) if path else ()))


def by_hand(environment: Environment, *commands: str) -> str:
    """What to type to look into the cluster: signing in, and then kubectl."""
    login = f"kubelogin convert-kubeconfig --login {environment.settings.workloads.credentials}"
    first = f"{shlex.join(credentials(environment))} && {login}"
    namespace = environment.settings.chat.namespace
    return "\n        ".join([first, *(f"kubectl --namespace {namespace} {each}" for each in commands)])


def _sign_in(environment: Environment, path: str) -> Step:
    login = environment.settings.workloads.credentials
    return Step("sign in to the cluster", ("kubelogin", "convert-kubeconfig", "--kubeconfig", path, "--login", login))
