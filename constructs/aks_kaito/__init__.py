"""An AKS cluster that serves an open model through KAITO, as CDK for Terraform constructs.

Reading order: `settings` (what an environment file may say) and `catalog` (what is known of sizes,
models and versions), `naming`, then the constructs from the network up: `network`, `identity`,
`observability`, the services (`registry`, `key_vault`, `storage`, `openai`, `postgresql`), `cluster`,
`kaito`, `monitoring`, `ingress`, and `stacks.platform`, which only wires them. What runs in the cluster: `chart_values`
(what settings mean for our charts) and `third_party` (other people's), `releases`, `scraping`, `alerts`, and
`stacks.workloads`.
"""
