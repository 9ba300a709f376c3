"""Client of the cluster's API server.

- `api_server`: requests with the token of the pod's ServiceAccount.
- `resources`: objects of one kind, with failures of requests classified, counted and logged.
- `workspace`: KAITO Workspaces; `inference_sets`: KAITO InferenceSets; `scaled_objects`: KEDA's scaling of them.
- `conditions`: the progress of a Workspace; `failures`: the reason why it is not ready.
"""
