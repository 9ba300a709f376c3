"""Builders of command lines, one module per program: each returns an argument list and starts nothing."""

Command = tuple[str, ...]
