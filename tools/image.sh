#!/usr/bin/env bash
# Builds the chat application's image with docker, podman or az acr build, whichever is there and works.
set -euo pipefail
cd "$(dirname "$0")/../app"
image=$1 registry=${2:-}

if [[ -n $registry ]] && command -v az >/dev/null; then
  exec az acr build --registry "$registry" --image "$image" .
fi
for engine in docker podman; do
  if command -v "$engine" >/dev/null && "$engine" info >/dev/null 2>&1; then
    exec "$engine" build --tag "$image" .
  fi
done
if command -v az >/dev/null; then
  echo "make image: no docker or podman engine runs here; name a registry for az acr build: make image REGISTRY=name" >&2
else
  echo "make image: needs a running docker or podman engine, or the Azure CLI with REGISTRY=name" >&2
fi
exit 2
