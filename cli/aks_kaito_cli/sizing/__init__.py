"""Size of an environment for a number of users: replicas, chat pods, database, and what limits it."""
