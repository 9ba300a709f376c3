"""The state of an environment: its models stage by stage, the reason why one is not ready, and day two."""
