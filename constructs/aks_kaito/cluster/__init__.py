"""The AKS cluster.

- `aks`: the cluster, its identities and their rights.
- `control_plane`, `add_ons`, `node_pools`: its arguments, and the user node pool.
- `application_gateway`: the rights of the Application Gateway Ingress Controller. It is here and not in
  `network.ingress`, because the principal is an add-on of the cluster.
- `azapi_properties`: the properties that azapi writes and not azurerm.
- `kaito`: the update that writes them, and the rights of the GPU provisioner.
- `kubernetes_upgrade`: the updates that write another version.
- `extensions`: the Dapr and Flux cluster extensions.
"""
