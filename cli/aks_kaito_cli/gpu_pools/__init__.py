"""Node pools that KAITO made: their owners in the cluster, their price, and the deletion of one without an owner."""
