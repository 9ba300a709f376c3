"""Command lines of kubelogin, which signs kubectl and helm in with Entra ID."""

from aks_kaito_cli.commands import Command


def convert(login: str, kubeconfig: str | None = None) -> Command:
    """Have a kubeconfig sign in as `login` says: the given one, or the user's own."""
    file = ("--kubeconfig", kubeconfig) if kubeconfig else ()
    return ("kubelogin", "convert-kubeconfig", *file, "--login", login)
