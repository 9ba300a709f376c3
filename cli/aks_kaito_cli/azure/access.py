"""Access of one environment: its subscription, and the sign-in that reads it."""

from collections.abc import Mapping

from aks_kaito.settings import Environment
from aks_kaito_cli.azure.arm import PUBLIC, Arm
from aks_kaito_cli.azure.errors import AzureAnswerError, SignInError
from aks_kaito_cli.azure.sign_in import credential


def arm(variables: Mapping[str, str]) -> Arm:
    """Return Azure Resource Manager, at `AKS_KAITO_ARM_ENDPOINT` if it is set.

    Raises:
        SignInError: The variables for a sign-in are incomplete.
        ValueError: The endpoint would get a token without TLS.
    """
    return Arm(credential(variables), variables.get("AKS_KAITO_ARM_ENDPOINT") or PUBLIC)


def subscription(arm: Arm, environment: Environment, variables: Mapping[str, str]) -> str:
    """Return the id of the environment's subscription: its file's, ARM_SUBSCRIPTION_ID or the only enabled one.

    az's own selection is not visible to the API: with several subscriptions, one of the two must be set.

    Raises:
        AzureAnswerError: There is none, or several and no choice.
        SignInError: Nobody is signed in.
    """
    chosen = environment.settings.subscription_id or variables.get("ARM_SUBSCRIPTION_ID")
    if chosen:
        return chosen
    enabled = [each["subscriptionId"] for each in arm.pages("/subscriptions") if each.get("state") == "Enabled"]
    if len(enabled) == 1:
        return str(enabled[0])
    if not enabled:
        raise SignInError("the sign-in reaches no enabled subscription")
    raise AzureAnswerError(
        f"the sign-in reaches {len(enabled)} subscriptions: set subscription_id in the environment's file, or"
        " ARM_SUBSCRIPTION_ID"
    )
