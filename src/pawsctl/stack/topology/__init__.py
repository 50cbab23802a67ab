"""Topologies of several servers: Sentinel or Cluster."""
