"""The AKS cluster.

- `aks`: the cluster and its identities.
- `node_pools`: the system and the user node pool.
- `add_ons`: the managed add-ons, as arguments of the cluster.
- `kaito`: the add-ons that only azapi can switch.
- `extensions`: the Dapr and Flux cluster extensions.
"""
