"""A chat application for open models that KAITO serves on Kubernetes."""
