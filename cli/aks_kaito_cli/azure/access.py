"""Access of one environment: its subscription, and the sign-in that reads it."""

from collections.abc import Mapping

from aks_kaito.settings import Environment
from aks_kaito_cli.azure.arm import PUBLIC, Arm
from aks_kaito_cli.azure.errors import AzureAnswerError, SignInError
from aks_kaito_cli.azure.sign_in import credential, uses_az
from aks_kaito_cli.shell import Shell, StepError

_CHOOSE = "set subscription_id in the environment's file, or ARM_SUBSCRIPTION_ID"


def arm(variables: Mapping[str, str]) -> Arm:
    """Return Azure Resource Manager, at `AKS_KAITO_ARM_ENDPOINT` if it is set.

    Raises:
        SignInError: The variables for a sign-in are incomplete.
        ValueError: The endpoint would get a token without TLS.
    """
    return Arm(credential(variables), variables.get("AKS_KAITO_ARM_ENDPOINT") or PUBLIC)


def subscription(arm: Arm, environment: Environment, variables: Mapping[str, str]) -> str:
    """Return the id of the subscription that Terraform deploys to.

    That is the one of the file or of ARM_SUBSCRIPTION_ID; without them the one that az has selected. Other ways to sign
    in select none: Terraform refuses, and the error lists the choices.

    Raises:
        AzureAnswerError: None is chosen, and az does not sign in.
        SignInError: Nobody is signed in.
    """
    chosen = environment.settings.subscription_id or variables.get("ARM_SUBSCRIPTION_ID")
    if chosen:
        return chosen
    if uses_az(variables):
        try:
            if selected := Shell(environment, variables).selected_subscription():
                return selected
        except StepError as error:
            raise SignInError(str(error)) from None
    reached = [f"{each['subscriptionId']} ({each.get('displayName')})" for each in arm.pages("/subscriptions")]
    raise AzureAnswerError(f"no subscription is chosen: {_CHOOSE}. The sign-in reaches {', '.join(reached) or 'none'}")
