"""WebSockets of the page: from a Socket.IO packet to its event handler.

- `packets`: checks before Socket.IO parses a packet.
- `events`: the fields of each event, validated.
- `sessions`: opening and resuming a session.
- `connections`: the handlers for connecting, resuming and disconnecting.
- `messages`: the handlers for questions, edits, Stop and settings.

A package beside `routes` and not a part of `chat`: it uses `chat`, which does not import it.
"""
