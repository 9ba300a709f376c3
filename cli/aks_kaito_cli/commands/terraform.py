"""Command lines of Terraform, for what the CDK's CLI cannot do: read a state, empty it, lock the providers."""

from collections.abc import Sequence
from typing import NamedTuple

from aks_kaito_cli.commands import Command

# Platforms of the machines that deploy, whose provider packages a lock has hashes of.
PLATFORMS = ("darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64")


class Terraform(NamedTuple):
    """Terraform in a folder: of a stack, or of a configuration with nothing but a backend.

    Attributes:
        program: The executable.
        folder: The folder.
    """

    program: str
    folder: str

    def _command(self, *words: str) -> Command:
        return (self.program, f"-chdir={self.folder}", *words)

    def init(self) -> Command:
        """Connect to the backend."""
        return self._command("init", "-input=false", "-no-color")

    def lock_providers(self) -> Command:
        """Write the hashes of the providers' packages for each platform."""
        return self._command("providers", "lock", *(f"-platform={platform}" for platform in PLATFORMS))

    def pull(self) -> Command:
        """Print the state; nothing if there is none."""
        return self._command("state", "pull")

    def addresses(self) -> Command:
        """Print the address of each resource and data source of the state."""
        return self._command("state", "list")

    def forget(self, addresses: Sequence[str]) -> Command:
        """Remove resources from the state without a change of the resources."""
        return self._command("state", "rm", *addresses)
