"""Checks before a deployment: the file, the subscription, capacity, names, the model, and this machine."""
