#!/usr/bin/env bash
# Builds the chat application's image with docker, podman or az acr build, whichever is there and works.
# A third argument, `here`, builds on this machine and pushes to the registry: a private one lets nobody else's machines in.
set -euo pipefail
cd "$(dirname "$0")/../app"
image=$1 registry=${2:-} where=${3:-}
# Terraform's subscription, of which az knows nothing by itself.
chosen=${ARM_SUBSCRIPTION_ID:-}

if [[ -n $registry && -z $where ]] && command -v az >/dev/null; then
  exec az acr build --registry "$registry" --image "$image" ${chosen:+--subscription "$chosen"} .
fi
for engine in docker podman; do
  if command -v "$engine" >/dev/null && "$engine" info >/dev/null 2>&1; then
    # The cluster's nodes are amd64, whatever this machine is.
    "$engine" build ${where:+--platform linux/amd64} --tag "$image" .
    if [[ -n $where ]]; then
      DOCKER_COMMAND=$engine az acr login --name "$registry" ${chosen:+--subscription "$chosen"}
      "$engine" push "$image"
    fi
    exit
  fi
done
if [[ -n $where ]]; then
  echo "tools/image.sh: needs a running docker or podman engine: the registry's own machines cannot reach a private one" >&2
elif command -v az >/dev/null; then
  echo "make image: no docker or podman engine runs here; name a registry for az acr build: make image REGISTRY=name" >&2
else
  echo "make image: needs a running docker or podman engine, or the Azure CLI with REGISTRY=name" >&2
fi
exit 2
