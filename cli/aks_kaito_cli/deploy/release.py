"""Releases the chat application alone: `python tools/release.py ENVIRONMENT TAG`, which is `make release`.

An upgrade of the chart's release, in the environment's own cluster, with the values that the stack wrote and another
image. What only a deployment knows (ids of identities) is kept from the release before; without one, the chart refuses.
Exit status: 0, 1 for a step that failed, 2 for what cannot be begun.
"""

import re
import sys

from aks_kaito.settings import Environment, SettingsError
from cluster_access import kubeconfig
from deploy_chart import helm, is_current, upgrade, values_file
from deploy_image import TAG, NoImageError, digest
from deploy_steps import ROOT, StepError, named, run, stop_in_order

VERSION = re.compile(rf"{TAG}|sha256:[0-9a-f]{{64}}")


class RefusedError(Exception):
    """Why nothing was done."""


def prepared(arguments: list[str]) -> tuple[Environment, str]:
    """The environment and the tag.

    Raises:
        RefusedError: One of them is wrong, or something is not there that a release needs.
        SettingsError: The environment's file is refused.
    """
    if len(arguments) != 2:  # noqa: PLR2004 - as the first line says
        raise RefusedError("usage: make release ENV=name TAG=tag-or-digest")
    name, tag = arguments
    if not VERSION.fullmatch(tag):
        raise RefusedError(
            f"TAG={tag!r}: must be an image's tag, such as 0.2.0, or its digest, sha256:... with 64 digits"
        )
    environment = named(name)
    values = values_file(environment)
    if not values.exists():
        raise RefusedError(f"{values.relative_to(ROOT)} is missing: run `make synth ENV={name}` first")
    if not is_current(environment):
        raise RefusedError(
            f"{values.relative_to(ROOT)} is not of the settings as they are: run `make synth ENV={name}`"
        )
    if helm() is None:
        raise RefusedError("helm is missing: make installs it on Linux (amd64), elsewhere install Helm")
    return environment, tag


def look_for_image(environment: Environment, version: str) -> None:
    """Look whether there is such an image, if we may: pods would wait ten minutes for one that is not there.

    Raises:
        StepError: There is none.
    """
    try:
        digest(environment, version)
    except NoImageError:
        raise
    except StepError as error:
        sys.stderr.write(f"going on without having seen the image: {error}\n")


def main(arguments: list[str]) -> int:
    """Upgrade one environment's release to a tag or digest, whatever cluster kubectl's current context is."""
    try:
        environment, tag = prepared(arguments)
    except (RefusedError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        look_for_image(environment, tag)
        with kubeconfig(environment) as access:
            run(upgrade(environment, access, tag), environment)
    except StepError as error:
        sys.stderr.write(error.report())
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 1
    return 0


if __name__ == "__main__":
    stop_in_order()
    sys.exit(main(sys.argv[1:]))
