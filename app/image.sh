#!/usr/bin/env bash
# Build the chat application's image with docker, podman or az acr build, whichever is installed and works.
# A third argument, `here`, builds on this machine and pushes: a private registry does not admit Azure's build machines.
# A shell script, so that `make image` needs no Python environment.
set -euo pipefail
cd "$(dirname "$0")"
image=$1 registry=${2:-} where=${3:-}
# The subscription that Terraform uses; az does not read this variable.
chosen=${ARM_SUBSCRIPTION_ID:-}

if [[ -n $registry && -z $where ]] && command -v az >/dev/null; then
  exec az acr build --registry "$registry" --image "$image" ${chosen:+--subscription "$chosen"} .
fi
for engine in docker podman; do
  if command -v "$engine" >/dev/null && "$engine" info >/dev/null 2>&1; then
    # The cluster's nodes are amd64; this machine may not be.
    "$engine" build ${where:+--platform linux/amd64} --tag "$image" .
    if [[ -n $where ]]; then
      DOCKER_COMMAND=$engine az acr login --name "$registry" ${chosen:+--subscription "$chosen"}
      "$engine" push "$image"
    fi
    exit
  fi
done
if [[ -n $where ]]; then
  echo "app/image.sh: needs a running docker or podman engine: Azure's build machines cannot reach a private registry" >&2
elif command -v az >/dev/null; then
  echo "make image: no docker or podman engine runs here; name a registry for az acr build: make image REGISTRY=name" >&2
else
  echo "make image: needs a running docker or podman engine, or the Azure CLI with REGISTRY=name" >&2
fi
exit 2
