"""Name everything that commands lack: `python -m aks_kaito_cli.doctor deploy`, without any installed library.

Exit status: 0, or 2 with a line for each missing need on standard error.
"""

import sys

from aks_kaito_cli.doctor import checks


def main() -> int:
    """Check the needs of the commands on the command line."""
    found = checks.findings(tuple(sys.argv[1:]))
    # Whether the environment is private is known only after its settings are read, which needs a library.
    lacking = [finding for finding in checks.missing(found) if not finding.in_public_clusters]
    for finding in lacking:
        print(f"{finding.need}: {finding.detail}. {finding.remedy}", file=sys.stderr)
    if lacking:
        print("Nothing was installed or changed. `make doctor` checks every command.", file=sys.stderr)
    return 2 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
