"""Checks of this machine: the programs, ports, disk, proxy and certificates that each command needs.

- `needs`: the needs of each command, as a table; `checks`: the findings on this machine.

Both use the standard library alone: make runs them before it installs anything.
"""
