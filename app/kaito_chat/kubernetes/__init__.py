"""Client of the cluster's API server.

- `api_server`: requests with the token of the pod's ServiceAccount.
- `workspace`: the conditions of KAITO Workspaces.
- `failures`: the reason why a Workspace is not ready.
"""
