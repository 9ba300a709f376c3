"""The answer of the cluster to the Gateway of the models: whether its implementation has taken their pools.

AKS does not document whether its Istio has the Inference Extension switched on.
"""

import shlex

from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.pages import ROUTING
from aks_kaito_cli.shell import Shell, Step, StepError

_WAY_OUT = f'if that lasts, set kaito.routing = "service" and deploy ({ROUTING})'
_ACCEPTED = {"Accepted=True", "ResolvedRefs=True"}


def found(shell: Shell, kubectl: Kubectl) -> str:
    """Return a sentence on the pools; a cluster that cannot be read is no failure."""
    try:
        pools = shell.ask(Step("read the pools of the models", kubectl.inference_pools()))
    except StepError as error:
        typed = shlex.join(Kubectl(shell.environment.settings.chat.namespace).inference_pools())
        return f"the pools of the models are unknown ({error.last_line or error}); read them with: {typed}"
    return sentence(pools)


def sentence(pools: str) -> str:
    """Return a sentence on pools, of which each line has a name and the conditions as `TYPE=STATUS`."""
    names = {line.split()[0]: set(line.split()[1:]) for line in pools.splitlines() if line.strip()}
    waiting = [name for name, conditions in names.items() if not conditions >= _ACCEPTED]
    if not names:
        return f"there are no pools of models yet; {_WAY_OUT}"
    if waiting:
        return f"the Gateway has not taken {', '.join(waiting)} yet; {_WAY_OUT}"
    return "the Gateway has taken the pools of the models, and routes by load"
