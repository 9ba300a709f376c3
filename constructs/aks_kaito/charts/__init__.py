"""Helm charts: their values and their releases.

- `ours`: values of `charts/kaito-chat` and `charts/kaito-cluster`.
- `theirs`: versions and values of other projects' charts.
- `releases`: both as Helm releases; the only module here that imports the CDK.
"""
