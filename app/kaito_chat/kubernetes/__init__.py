"""Client of the cluster's API server.

- `api_server`: requests with the token of the pod's ServiceAccount.
- `workspace`: the conditions of KAITO Workspaces.
- `inference_sets`: the number of replicas of KAITO InferenceSets.
- `failures`: the reason why a Workspace is not ready.
"""
