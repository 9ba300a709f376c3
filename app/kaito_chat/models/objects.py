"""A model's objects in the cluster: the progress of its Workspaces, the replicas of its InferenceSet."""

from datetime import UTC, datetime

from kaito_chat.kubernetes.conditions import Conditions, most_advanced
from kaito_chat.kubernetes.inference_sets import InferenceSet, InferenceSets
from kaito_chat.kubernetes.workspace import Workspaces
from kaito_chat.settings import ModelSettings


class Objects:
    """The objects of one model.

    Args:
        settings: The model's configuration, with their names.
        workspaces: The Workspaces of the namespace; `None` if they are not read.
        inference_sets: The InferenceSets of the namespace; `None` if they are not read.
    """

    def __init__(
        self,
        settings: ModelSettings,
        workspaces: Workspaces | None = None,
        inference_sets: InferenceSets | None = None,
    ) -> None:
        self._settings = settings
        self._workspaces = workspaces
        self._inference_sets = inference_sets
        self._set: InferenceSet | None = None  # as the last check read it
        self._wanted: int | None = None  # as last read: the API server may be away for a moment

    async def conditions(self) -> Conditions | None:
        """Return the conditions of the Workspace; `None` if there is none, or it cannot be read.

        Of an InferenceSet, which `asleep` reads, those of the most advanced replica, and its own before it has any.
        """
        if self._workspaces is None:
            return None
        if workspace := self._settings.workspace_name:
            return await self._workspaces.conditions(workspace)
        name = self._settings.inference_set_name
        if name is None or self._set is None or self._set.replicas == 0:
            return None
        replicas = await self._workspaces.created_by(name)
        return None if replicas is None else most_advanced(replicas) or self._set.conditions

    async def asleep(self, *, absent: bool) -> bool:
        """Return whether the model was scaled to zero: as the API server says, otherwise by the model's schedule.

        Args:
            absent: No server of the model answers.
        """
        name, schedule = self._settings.inference_set_name, self._settings.schedule
        self._set = await self._inference_sets.find(name) if self._inference_sets and name else None
        self._wanted = self._set.replicas if self._set else self._wanted
        if self._wanted is not None:
            return self._wanted == 0
        return absent and schedule is not None and schedule.asleep(datetime.now(UTC))
