"""Memberships of a user in groups of Entra ID, read with the user's own token.

See: https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups
"""

import logging
from collections.abc import Collection
from uuid import UUID

import httpx

from kaito_chat.backends.responses import json_of, object_of

log = logging.getLogger(__name__)

URL = "https://graph.microsoft.com/v1.0/me/checkMemberGroups"
REQUEST_SECONDS = 10


async def memberships(
    access_token: str, groups: Collection[UUID], transport: httpx.AsyncBaseTransport | None = None
) -> list[str]:
    """Return the ids of those groups of which the user is a member, directly or through other groups.

    The permission `User.Read`, which the sign-in asks for, suffices for the user's own memberships. Without an answer
    of Microsoft Graph there are none: the sign-in does not depend on it.
    """
    if not groups:
        return []
    body = {"groupIds": [str(group) for group in groups]}
    headers = {"authorization": f"Bearer {access_token}"}
    try:
        async with httpx.AsyncClient(timeout=REQUEST_SECONDS, transport=transport) as client:
            response = await client.post(URL, json=body, headers=headers)
    except httpx.HTTPError as error:
        log.warning("group memberships cannot be read", extra={"reason": str(error) or type(error).__name__})
        return []
    found = object_of(json_of(response)).get("value")
    if response.is_error or not isinstance(found, list):
        log.warning("group memberships cannot be read", extra={"reason": f"HTTP {response.status_code}"})
        return []
    return sorted({str(group) for group in groups} & {str(group) for group in found})
