"""Where traffic enters, flows and leaves.

- `virtual_network`: subnets, their security groups and the NAT gateway; `public_ip`.
- `security_rules`: the rules of the security groups, as data.
- `private_endpoint`: the private address and DNS zone of an Azure service.
- `ingress`: the static public address and the DNS records of the ingress controller.
"""
