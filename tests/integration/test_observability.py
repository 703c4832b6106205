"""``/metrics``: what the log of syncs and the engine say, as Prometheus reads it."""

import pytest
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from fraiseql.observability.syncs import syncs_of_a_day, total
from fraiseql.testing import Client as GraphQLClient

pytestmark = pytest.mark.django_db


def log(entity: str, duration_ms: float, error: str | None = None, ago: str = "0 h") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tb_sync_log (entity, mode, inserted, updated, deleted, duration_ms, error, synced_at)"
            " VALUES (%s, 'incremental', 1, 2, 0, %s, %s, now() - %s::interval)",
            [entity, duration_ms, error, ago],
        )


def measured() -> dict[tuple[str, str], float]:
    """Return the samples of ``/metrics`` by their names and their entities or databases."""
    text = Client().get("/metrics").content.decode()
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("fraiseql_")
    }


def test_syncs_of_a_day_are_told_by_projection() -> None:
    log("tv_one", 10)
    log("tv_one", 30, "it broke")
    log("tv_two", 8)
    log("tv_two", 4000, "long ago", ago="25 h")
    found = measured()

    assert found["fraiseql_database_up", ""] == 1
    assert found["fraiseql_syncs_24h", "tv_one"] == 2
    assert found["fraiseql_sync_failures_24h", "tv_one"] == 1
    assert found["fraiseql_sync_rows_24h", "tv_one"] == 6
    assert found["fraiseql_sync_success_ratio_24h", "tv_one"] == 0.5
    assert found["fraiseql_sync_duration_mean_seconds_24h", "tv_one"] == pytest.approx(0.02)
    assert found["fraiseql_sync_duration_max_seconds_24h", "tv_one"] == pytest.approx(0.03)
    assert found["fraiseql_syncs_24h", "tv_two"] == 1
    assert found["fraiseql_sync_failures_24h", "tv_two"] == 0


def test_the_total_weighs_each_sync_alike() -> None:
    before = total(syncs_of_a_day())
    log("tv_one", 10)
    log("tv_one", 10)
    log("tv_two", 40, "it broke")
    found = total(syncs_of_a_day())

    assert (before.syncs, before.mean_ms, before.success_pct) == (0, None, None)
    assert (found.syncs, found.failures) == (3, 1)
    assert found.mean_ms == pytest.approx(20)
    assert found.success_pct == pytest.approx(200 / 3)


def test_without_the_log_the_rest_is_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tb_sync_log RENAME TO tb_elsewhere")
    found = measured()

    assert found["fraiseql_database_up", ""] == 0
    assert ("fraiseql_compiled_operations", "") in found
    assert "fraiseql_syncs_24h" not in {name for name, _ in found}


def test_a_repeated_operation_is_a_hit() -> None:
    before = measured()
    for _ in range(3):
        GraphQLClient().query("{ repeated: __typename }")
    after = measured()

    assert (
        after["fraiseql_compiled_misses_total", ""] - before["fraiseql_compiled_misses_total", ""]
        == 1
    )
    assert (
        after["fraiseql_compiled_hits_total", ""] - before["fraiseql_compiled_hits_total", ""] == 2
    )


def test_prometheus_may_ask_for_openmetrics_and_nobody_may_keep_it() -> None:
    answer = Client().get(
        "/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"}
    )

    assert answer["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.content.endswith(b"# EOF\n")
    assert "no-store" in answer["Cache-Control"]
    assert Client().post("/metrics").status_code == 405
