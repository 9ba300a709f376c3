"""CDK for Terraform constructs of an AKS cluster that serves an open model through KAITO.

Reading order, from the bottom up; imports only point down this list in reverse:

- `naming`, `catalog`, `node`: Azure resource names, known sizes, models and versions, the Node.js of the CDK.
- `settings`: the schema of an environment file, its validation and its reader.
- `placement`, `roles`, `diagnostics`, `identity`: used by every construct.
- `network`, `services`, `cluster`, `access`: the Azure resources.
- `charts`: the Helm charts that run in the cluster.
- `monitoring`: logs, metrics and alerts.
- `stacks`: the wiring of the constructs above.
- `review`: reads synthesized Terraform JSON.
"""
