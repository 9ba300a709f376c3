"""The needs of each command, as a table."""

from dataclasses import dataclass

Version = tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """A program on the PATH.

    Attributes:
        install: The name of its package, or the page that describes its installation.
        version: The arguments with which it prints its version; none if every version will do.
        minimum: The oldest version that works.
        variable: The environment variable that names another program.
        in_public_clusters: Whether only environments with a public API server need it on this machine.
        installed_on: The machines on which make installs it into .venv/bin, as system and processor; `*` is any.
    """

    name: str
    install: str
    version: tuple[str, ...] = ()
    minimum: Version = ()
    variable: str = ""
    in_public_clusters: bool = False
    installed_on: tuple[str, str] | None = None


@dataclass(frozen=True)
class Needs:
    """The needs of a command.

    Attributes:
        programs: Programs that must be on the PATH, or that make installs.
        optional: Programs whose tests are skipped without them, or which replace a step.
        disk_gib: Free space for what make installs, in GiB.
        port: The port to listen on; none if None.
    """

    programs: tuple[Program, ...]
    optional: tuple[Program, ...] = ()
    disk_gib: float = 0
    port: int | None = None


MAKE = Program("make", "package: make", ("--version",), (3, 81))
GIT = Program("git", "package: git", ("--version",), (2,))
TERRAFORM = Program(
    "terraform",
    "package: terraform (HashiCorp's repositories), https://developer.hashicorp.com/terraform/install",
    ("version", "-json"),
    (1, 7),
    "TERRAFORM_BINARY_NAME",
)
AZ = Program("az", "package: azure-cli, https://learn.microsoft.com/cli/azure/install-azure-cli", ("version",), (2, 60))
KUBELOGIN = Program(
    "kubelogin",
    "package: azure-kubelogin (or az aks install-cli), https://azure.github.io/kubelogin/install.html",
    ("--version",),
    in_public_clusters=True,
)
# See tools/kubernetes_tools.py.
_LINUX = ("Linux", "x86_64")
HELM = Program(
    "helm",
    "package: helm, https://helm.sh/docs/intro/install",
    ("version", "--short"),
    (3, 8),
    "HELM_BIN",
    in_public_clusters=True,
    installed_on=_LINUX,
)
KUBECTL = Program(
    "kubectl",
    "package: kubectl (or az aks install-cli), https://kubernetes.io/docs/tasks/tools",
    ("version", "--client"),
    in_public_clusters=True,
    installed_on=_LINUX,
)
NODE = Program("node", "package: nodejs", ("--version",), (22, 19), "JSII_NODE", installed_on=("*", "*"))
DOCKER = Program("docker", "package: docker.io, or podman with DOCKER_COMMAND=podman", variable="DOCKER_COMMAND")
CHROMIUM = Program("chromium", "package: chromium")
HEADLESS = Program("chromium-headless-shell", "package: chromium-headless-shell")
NGINX = Program("nginx", "package: nginx-light")

# Sizes were measured: infrastructure 0.9 GiB, CDK command lines 1.2, application 0.8.
COMMANDS: dict[str, Needs] = {
    "synth": Needs((MAKE, NODE), disk_gib=1),
    "diff": Needs((MAKE, GIT, NODE), disk_gib=1),
    "chat": Needs((MAKE,), disk_gib=1, port=8000),
    "test": Needs((MAKE, GIT, NODE), (TERRAFORM, HELM, KUBECTL, CHROMIUM, HEADLESS, NGINX), disk_gib=4),
    "deploy": Needs((MAKE, AZ, TERRAFORM, KUBELOGIN, HELM, KUBECTL, NODE), disk_gib=3),
    "plan": Needs((MAKE, TERRAFORM, NODE), (AZ,), disk_gib=2.5),
    "destroy": Needs((MAKE, AZ, TERRAFORM, KUBELOGIN, NODE), disk_gib=2.5),
    "release": Needs((MAKE, AZ, KUBELOGIN, HELM), disk_gib=1),
    "status": Needs((MAKE, AZ, KUBELOGIN, KUBECTL), disk_gib=1.2),
    # These sign in with az or with the ARM_ variables of Terraform.
    "preflight": Needs((MAKE,), (AZ, TERRAFORM, KUBELOGIN, HELM), disk_gib=1),
    "gpu-pools": Needs((MAKE,), (AZ, KUBELOGIN, KUBECTL), disk_gib=1),
    "cost": Needs((MAKE, NODE), (GIT, AZ), disk_gib=1),
    "import-tfvars": Needs((MAKE,), disk_gib=1),
    "image": Needs((MAKE, DOCKER), disk_gib=2),
}
