"""WebSockets of the page: from a packet to the event that the chat handles.

- `packets`: checks before Socket.IO reads a packet.
- `events`: the fields of each event, validated.
- `sessions`: opening and resuming a session.
- `connections`: the handlers of connecting, resuming and disconnecting.
- `messages`: the handlers of questions, edits, Stop and settings.
"""
