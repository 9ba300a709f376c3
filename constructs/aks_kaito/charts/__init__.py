"""Helm charts: their values and their releases.

- `names`: names that charts, stacks and the command line share.
- `values`: tolerations and load balancer annotations, which every chart takes.
- `ours`: values of `charts/kaito-chat` and `charts/kaito-cluster`.
- `theirs`: versions and values of other projects' charts.
- `releases`: both as Helm releases.

Only `releases` imports the CDK: the command line and `review` read names and values without starting Node.js.
"""
