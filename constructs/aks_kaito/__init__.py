"""CDK for Terraform constructs of an AKS cluster that serves an open model through KAITO.

Reading order. A package imports only from packages above it in this list:

- `naming`, `catalog`, `node`, `jsii_client`, `protection`, `stored`: Azure resource names; known sizes, versions and
  regions; the CDK's Node.js and its faster client; the lifecycle of resources that no plan may destroy; values in
  Terraform's state.
- `models`: KAITO's tables, and its decisions about a model on a GPU size.
- `settings`: the schema of an environment file, its validation, its reader and its selection.
- `state`: the place of Terraform's state.
- `placement`, `roles`, `diagnostics`, `identity`: what every construct uses.
- `network`, `services`, `cluster`, `access`: the Azure resources.
- `charts`: the Helm charts that run in the cluster.
- `monitoring`: logs, metrics and alerts, which refer to the cluster, the jump box and the charts.
- `stacks`: the wiring of the constructs.
- `review`: reports on synthesized Terraform JSON, without the CDK.
"""

__version__ = "0.2.0"
