"""Several servers made one topology: Sentinels or a cluster."""
