"""Cost of an environment per month: from the synthesized stacks and Azure's public price list, or from Azure's bills.

`resources` finds the meters of each resource and `gpus` those of the GPU nodes, `retail` asks the price list, `choice`
selects one of its prices, `estimate` adds them up.
"""
