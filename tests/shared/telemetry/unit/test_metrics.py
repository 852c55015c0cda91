"""The names are a contract with dashboards and alerts."""

from shared.telemetry.metrics import Metrics

NAMES = {
    "madoguchi_consumer_lag",
    "madoguchi_outbox_unpublished",
    "madoguchi_outbox_oldest_age_seconds",
    "madoguchi_dead_letters",
    "madoguchi_parked_messages",
    "madoguchi_inbox_duplicates_total",
    "madoguchi_handler_seconds",
    "madoguchi_messages_handled_total",
    "madoguchi_relay_published_total",
    "madoguchi_http_request_seconds",
}


def test_every_promised_name_is_served() -> None:
    text = Metrics(service="issuance", role="consume").render().decode()
    served = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert served >= NAMES
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total"} <= served
    assert 'madoguchi_process_info{role="consume",service="issuance"} 1.0' in text


def test_labels() -> None:
    metrics = Metrics(service="issuance", role="consume")
    metrics.consumer_lag.labels("site.events", 3).set(7)
    metrics.messages_handled.labels("card.preset.v1", "handled").inc(5)
    metrics.handler_seconds.labels("on_card_preset").observe(0.004)
    metrics.http_request_seconds.labels("GET", "/v1/x", 200).observe(0.004)
    text = metrics.render().decode()
    assert 'madoguchi_consumer_lag{partition="3",topic="site.events"} 7.0' in text
    assert 'madoguchi_messages_handled_total{outcome="handled",type="card.preset.v1"} 5.0' in text
    assert 'madoguchi_handler_seconds_bucket{handler="on_card_preset",le="0.005"} 1.0' in text


def test_two_processes_in_one_test_do_not_meet() -> None:
    one, two = Metrics(service="a", role="api"), Metrics(service="b", role="api")
    one.inbox_duplicates.inc()
    assert "madoguchi_inbox_duplicates_total 0.0" in two.render().decode()
