"""The Terraform stacks, which only wire constructs.

- `platform`, `platform_options`: the Azure resources, required and optional.
- `workloads`: the releases in the cluster and the alerts on them.
- `providers`, `cluster_providers`: the Terraform providers and the state backends.
- `synthesis`: writes the Terraform JSON of the selected environments.
"""
