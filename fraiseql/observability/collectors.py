"""
What Prometheus is told: of the syncs, from the database when it asks, and of this process's engine.

A request costs nothing for it: the engine's own counters are read, nothing is counted twice.
"""

import logging
from collections.abc import Iterator

from django.db import DatabaseError
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fraiseql.db import pool
from fraiseql.engine.pipeline import get_engine
from fraiseql.errors import FraiseQLError
from fraiseql.observability.syncs import syncs_of_a_day

logger = logging.getLogger("fraiseql.observability")


class SyncCollector(Collector):
    """The syncs of the last 24 hours by projection, of all processes: from ``tb_sync_log``."""

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; without a database only that there is none."""
        up = GaugeMetricFamily(
            "fraiseql_database_up", "1 if the log of syncs could be read, else 0."
        )
        try:
            found = syncs_of_a_day()
        except DatabaseError as error:
            logger.warning("The log of syncs cannot be read: %s", error)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        syncs = _by_entity("fraiseql_syncs_24h", "Syncs in the last 24 hours.")
        failures = _by_entity("fraiseql_sync_failures_24h", "Those of them that failed.")
        rows = _by_entity("fraiseql_sync_rows_24h", "Rows that they changed.")
        success = _by_entity("fraiseql_sync_success_ratio_24h", "The share that did not fail.")
        mean = _by_entity(
            "fraiseql_sync_duration_mean_seconds_24h", "How long one took on average."
        )
        longest = _by_entity("fraiseql_sync_duration_max_seconds_24h", "How long the longest took.")
        for one in found:
            entity = [one.entity]
            syncs.add_metric(entity, one.syncs)
            failures.add_metric(entity, one.failures)
            rows.add_metric(entity, one.changed)
            success.add_metric(entity, 1 - one.failures / one.syncs)
            mean.add_metric(entity, one.mean_ms / 1000)
            longest.add_metric(entity, one.longest_ms / 1000)
        yield from (syncs, failures, rows, success, mean, longest)


def _by_entity(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, labels=["entity"])


class EngineCollector(Collector):
    """Compiled operations and connections, of this process alone."""

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not build the schema."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; those of the operations only once the schema builds."""
        try:
            compiled = get_engine().compiled()
        except FraiseQLError as error:
            logger.warning("There is no engine to measure: %s", error.message)
        else:
            yield CounterMetricFamily(
                "fraiseql_compiled_hits", "Times an operation was compiled already.", compiled.hits
            )
            yield CounterMetricFamily(
                "fraiseql_compiled_misses", "Times one was compiled.", compiled.misses
            )
            yield GaugeMetricFamily(
                "fraiseql_compiled_operations", "Operations kept compiled.", compiled.currsize
            )
        connections = GaugeMetricFamily(
            "fraiseql_pool_connections",
            "Connections of the asynchronous pools: lane (shared), busy, idle.",
            labels=["database", "state"],
        )
        waiting = GaugeMetricFamily(
            "fraiseql_pool_waiting", "Requests that wait for a connection.", labels=["database"]
        )
        for using, figures in pool.figures().items():
            connections.add_metric([using, "lane"], figures.lanes)
            connections.add_metric([using, "busy"], figures.busy)
            connections.add_metric([using, "idle"], figures.idle)
            waiting.add_metric([using], figures.waiting)
        yield from (connections, waiting)
