"""Builders of command lines, one module per program: each returns words and starts nothing."""

Words = tuple[str, ...]
