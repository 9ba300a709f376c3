"""Scale a model by its schedule: `python -m kaito_chat.scaling wake|sleep|doze NAME`, in CronJobs of the chart.

`wake` starts the replicas of an InferenceSet, `sleep` scales it to zero, and `doze` scales one to zero that runs
outside its times, because a user woke it, and that nobody has used for some time. KEDA is paused before a model sleeps,
since it would start it again while its last pods still report metrics.

See: docs/explanation/adr/20261128-schedules-are-cron-jobs.md
"""

import argparse
import asyncio
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.inference_sets import InferenceSets
from kaito_chat.kubernetes.resources import ApiError
from kaito_chat.kubernetes.scaled_objects import ScaledObjects
from kaito_chat.settings.answering import IN_CLUSTER_URL, SERVICE_ACCOUNT_DIR
from kaito_chat.settings.schedule import Schedule

API_VERSION = "kaito.sh/v1beta1"
REQUEST_SECONDS = 5.0
LAST_USE = "kaito_chat_model_last_use_timestamp_seconds"


class Model:
    """A model's InferenceSet, and KEDA's ScaledObject of the same name.

    Args:
        server: The API server.
        sets: The InferenceSets of the pod's namespace.
        name: The name.
        has_keda: Whether KEDA scales the model by load.
    """

    def __init__(self, server: ApiServer, sets: InferenceSets, name: str, *, has_keda: bool) -> None:
        self._sets = sets
        self._name = name
        self._keda = ScaledObjects(server) if has_keda else None

    async def wake(self, replicas: int) -> str:
        """Start at least this number of replicas, then let KEDA scale; return what was done."""
        changed = await self._sets.at_least(self._name, replicas)
        if self._keda:
            await self._keda.resume(self._name)
        return f"{self._name} has {replicas} replicas" if changed else f"{self._name} has {replicas} or more already"

    async def sleep(self) -> str:
        """Pause KEDA, then scale to zero; return what was done."""
        if self._keda:
            await self._keda.pause(self._name)
        return f"{self._name} sleeps" if await self._sets.to_zero(self._name) else f"{self._name} slept already"

    async def doze(self, schedule: Schedule, unused: "Unused") -> str:
        """Scale to zero outside the schedule if nobody uses the model; return what was done."""
        if not schedule.asleep(datetime.now(UTC)):
            return f"{self._name} is within its times"
        if await self._sets.replicas(self._name) == 0:
            return f"{self._name} sleeps"
        reason = await unused.reason()
        return await self.sleep() if not reason else f"{self._name} stays: {reason}"


class Unused:
    """Whether the users of all pods of the chat have left a model.

    Args:
        model: The model's name in the chat's metrics.
        seconds: For how long.
        url: The metrics of a pod, at a name that resolves to all pods.
    """

    def __init__(self, model: str, seconds: float, url: str) -> None:
        self._model = model
        self._seconds = seconds
        self._url = httpx.URL(url)

    async def reason(self) -> str:
        """Return why the model must stay; empty if it was not used."""
        try:
            uses = await asyncio.gather(*(self._last_use(each) for each in await self._addresses()))
        except (httpx.HTTPError, OSError, ValueError) as error:
            return f"a pod of the chat does not tell when it was used: {error or type(error).__name__}"
        if not uses:
            return "no pod of the chat tells when it was used"
        ago = time.time() - max(uses)
        return f"it was used {ago:.0f} s ago, which is less than {self._seconds:g} s" if ago < self._seconds else ""

    async def _addresses(self) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._url.host, self._url.port, type=socket.SOCK_STREAM)
        return sorted({str(address[0]) for *_, address in found})

    async def _last_use(self, address: str) -> float:
        async with httpx.AsyncClient(timeout=REQUEST_SECONDS, trust_env=False) as client:
            response = await client.get(self._url.copy_with(host=address))
            response.raise_for_status()
        for family in text_string_to_metric_families(response.text):
            for sample in family.samples:
                if sample.name == LAST_USE and sample.labels.get("model") == self._model:
                    return sample.value
        raise ValueError(f"{address} does not know the model {self._model}")


async def _run(options: argparse.Namespace) -> int:
    server = ApiServer(options.api_url, options.service_account_dir)
    if not server.has_token:
        sys.stderr.write(f"{options.service_account_dir}/token is missing: this runs in a pod\n")
        return 2
    sets = InferenceSets(server, API_VERSION, None)
    model = Model(server, sets, options.name, has_keda=options.keda)
    try:
        if options.verb == "wake":
            said = await model.wake(options.replicas)
        elif options.verb == "sleep":
            said = await model.sleep()
        else:
            schedule = Schedule(wakes=options.wakes, sleeps=options.sleeps, time_zone=options.time_zone)
            said = await model.doze(schedule, Unused(options.model, options.seconds, options.metrics_url))
    except ApiError as error:
        sys.stderr.write(f"{options.name} was not scaled: {error}\n")
        return 1
    finally:
        await server.close()
    sys.stdout.write(f"{said}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("name", help="name of the InferenceSet, and of its ScaledObject")
    common.add_argument("--keda", action="store_true", help="KEDA scales the model by load")
    common.add_argument("--api-url", default=IN_CLUSTER_URL, help="address of the Kubernetes API server")
    common.add_argument(
        "--service-account-dir", type=Path, default=SERVICE_ACCOUNT_DIR, help="directory of the pod's token"
    )
    parser = argparse.ArgumentParser(prog="python -m kaito_chat.scaling", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    wake = verbs.add_parser("wake", parents=[common], help="start the model")
    wake.add_argument("--replicas", type=int, required=True, help="least number of replicas")
    verbs.add_parser("sleep", parents=[common], help="scale the model to zero")
    doze = verbs.add_parser("doze", parents=[common], help="scale an unused model to zero, outside its times")
    doze.add_argument("--model", required=True, help="the model's name in the chat's metrics")
    doze.add_argument("--seconds", type=float, required=True, help="time without a question")
    doze.add_argument("--metrics-url", required=True, help="metrics at a name that resolves to all pods of the chat")
    doze.add_argument("--wakes", required=True, help="times at which the model is started, as a cron expression")
    doze.add_argument("--sleeps", required=True, help="times at which it is scaled to zero")
    doze.add_argument("--time-zone", default="UTC", help="time zone of both")
    return parser


def main() -> int:
    """Return the exit code: 0 for done, 1 for a failure, 2 outside a pod."""
    return asyncio.run(_run(_parser().parse_args()))


if __name__ == "__main__":
    sys.exit(main())
