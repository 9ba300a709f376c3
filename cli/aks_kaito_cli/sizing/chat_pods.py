"""The pods of the chat, from the figures that docs/explanation/benchmarks.md measures."""

import math

# Answers at once that one process, on one core, streams at nine tenths of the throughput without it.
ANSWERS_PER_POD = 200
# Two, so that one can end.
LEAST_PODS = 2
# The largest number that an environment file accepts.
MOST_PODS = 100
# Connections of a pod to the database: the pool's size and overflow (kaito_chat.history.engines).
CONNECTIONS_PER_POD = 30


def pods_for(answers: int) -> int:
    """Return the number of pods for a number of answers at once."""
    return max(LEAST_PODS, math.ceil(answers / ANSWERS_PER_POD))
