"""The throw-away PostgreSQL that tests and the bench share."""

from __future__ import annotations

from bench.postgres import WHY_NOT, Cluster, cluster, programs

__all__ = ["WHY_NOT", "Cluster", "cluster", "programs"]
