"""Helm charts: their values and their releases.

- `names`: names that charts, stacks and the command line share.
- `values`: tolerations and load balancer annotations, which every chart takes.
- `ours`: values of `charts/kaito-chat` and `charts/kaito-cluster`.
- `theirs`: versions and values of other projects' charts.
- `releases`: both as Helm releases; the only module here that imports the CDK.
"""
