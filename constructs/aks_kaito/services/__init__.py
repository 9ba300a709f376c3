"""Azure services beside the cluster.

- `network_access`: the network access policy that all of them share.
- `registry`: the container registry.
- `key_vault`: the secrets of the chat application.
- `storage`: the boot diagnostics of the jump box.
- `openai`: Azure OpenAI; optional.
- `postgresql`: the conversation history; optional.
"""
