"""Logs, audit lines, metrics and traces, and the port that serves health probes and metrics."""
