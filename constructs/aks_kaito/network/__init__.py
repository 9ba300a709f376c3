"""The virtual network, and the addresses at which it and the services are reached.

- `virtual_network`: the network, its subnets and the NAT gateway.
- `subnets`, `security_rules`: the plan of the subnets and of their security groups, as data.
- `public_ip`: static public addresses, of the NAT gateway, of Bastion and of the ingress controller.
- `private_endpoint`: the private address and DNS zone of an Azure service.
- `ingress`: the static public address and the DNS records of the ingress controller.
"""
