"""Alerts, dashboards and pipelines read only what is there, and each alert has its page."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from deploy.cli.main import app

from .promql import unknown

Json = dict[str, Any]
DEPLOY = Path(__file__).parents[3] / "deploy"


def alerts() -> list[Json]:
    """Every rule of the alert file."""
    document = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def queries() -> list[tuple[str, str]]:
    """Title and expression of every query of every dashboard."""
    found = []
    for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            found += [(panel["title"], target["expr"]) for target in panel["targets"]]
    return found


@pytest.fixture(scope="module")
def prometheus() -> Json:
    """The scrape configuration."""
    document: Json = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    return document


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_is_complete(rule: Json, root: Path) -> None:
    assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert unknown(rule["expr"]) == []
    page = root / rule["annotations"]["runbook"]
    assert page.is_file(), f"{rule['alert']} has no page {page.name}"
    text = page.read_text("utf-8")
    assert text.startswith(f"# {rule['alert']}\n")
    assert "## What to do" in text
    assert rule["labels"]["severity"] in text


def test_every_alert_page_belongs_to_an_alert(root: Path) -> None:
    pages = {f"docs/operations/alerts/{p.name}" for p in root.glob("docs/operations/alerts/*.md")}
    assert pages == {rule["annotations"]["runbook"] for rule in alerts()}


def test_the_index_leads_to_every_page(root: Path) -> None:
    folder = root / "docs/operations"
    index = (folder / "README.md").read_text("utf-8")
    for page in sorted(folder.rglob("*.md")):
        if page.name != "README.md":
            assert f"({page.relative_to(folder)})" in index, page.name


def test_commands_in_the_pages_exist(root: Path) -> None:
    known = set(_commands(get_command(app)))
    for page in sorted((root / "docs/operations").rglob("*.md")):
        for written in re.findall(r"(?:`|^)madoguchi ([a-z <>-]+)", page.read_text("utf-8"), re.M):
            words = re.split(r" [<-]", written)[0].strip()
            assert words in known, f"{page.name}: madoguchi {written}"


@pytest.mark.parametrize(("title", "expression"), queries())
def test_a_panel_reads_what_is_published(title: str, expression: str) -> None:
    assert unknown(expression) == [], title


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("madoguchi_outbox_unpublishd", ["madoguchi_outbox_unpublishd"]),
        ("sum by (rooms) (madoguchi_dead_letters)", ["rooms"]),
        ('rate(madoguchi_http_request_seconds_count{code="500"}[5m])', ["code"]),
    ],
)
def test_a_misspelt_metric_or_label_would_be_found(expression: str, wrong: list[str]) -> None:
    assert unknown(expression) == wrong


def test_every_process_is_read_and_asked_whether_it_is_ready(
    prometheus: Json, compose: Json, rooms: list[str]
) -> None:
    expected = {}
    for room in rooms:
        for process in ("api", "consume", "relay"):
            told = compose["services"][f"{room}-{process}"]["environment"]
            port = told[f"MADOGUCHI_{room}_{process}_PORT".upper()]
            expected[f"{room}-{process}:{port}"] = {"room": room, "process": process}
    jobs = {job["job_name"]: job for job in prometheus["scrape_configs"]}
    found = jobs["madoguchi"]["dns_sd_configs"]
    assert {f"{name}:{one['port']}" for one in found for name in one["names"]} == expected.keys()
    assert _targets(jobs["readiness"]) == expected


def test_the_dashboard_reads_every_process(compose: Json, rooms: list[str]) -> None:
    told = compose["services"]["reporting-api"]["environment"]
    expected = {}
    for room in rooms:
        for process in ("api", "consume", "relay"):
            own = compose["services"][f"{room}-{process}"]["environment"]
            port = own[f"MADOGUCHI_{room}_{process}_PORT".upper()]
            expected[f"{room}-{process}"] = f"http://{room}-{process}:{port}/metrics"
    assert json.loads(told["MADOGUCHI_REPORTING_METRICS_URLS"]) == expected


def test_a_satellite_is_read_where_its_file_is_written(prometheus: Json) -> None:
    (job,) = (job for job in prometheus["scrape_configs"] if job["job_name"] == "satellites")
    ((where,),) = (one["files"] for one in job["file_sd_configs"])
    example = DEPLOY / "prometheus" / "satellites" / "satellite.yml.example"
    assert example.parent.name == where.partition("/")[0]
    groups = yaml.safe_load(example.read_text("utf-8"))
    assert {group["labels"]["process"] for group in groups} == {"api", "consume", "relay"}
    assert {group["labels"]["room"] for group in groups} == {"issuance"}


def test_a_satellite_that_nobody_can_read_is_noticed() -> None:
    document = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    assert [rule["alert"] for rule in rules if 'up{job="satellites"}' in rule["expr"]] == [
        "SatelliteUnread"
    ]


def test_room_and_process_are_read_from_the_name(prometheus: Json, rooms: list[str]) -> None:
    (job,) = (job for job in prometheus["scrape_configs"] if job["job_name"] == "madoguchi")
    rules = {rule["target_label"]: rule["regex"] for rule in job["relabel_configs"]}
    for room in rooms:
        found = [re.fullmatch(rules[label], f"{room}-consume") for label in ("room", "process")]
        assert [match and match[1] for match in found] == [room, "consume"]


def test_other_targets_are_services(prometheus: Json, compose: Json) -> None:
    for job in prometheus["scrape_configs"]:
        for target in _targets(job):
            host = target.split(":")[0]
            assert host in compose["services"] or host == "localhost", target
    assert prometheus["rule_files"] == ["alerts.yml"]


def test_grafana_finds_its_sources_and_its_dashboards(compose: Json) -> None:
    folder = DEPLOY / "grafana/provisioning"
    sources = yaml.safe_load((folder / "datasources/datasources.yml").read_text("utf-8"))
    for source in sources["datasources"]:
        host, _, port = source["url"].removeprefix("http://").partition(":")
        assert host in compose["services"]
        assert any(
            published.endswith(f":{port}") for published in compose["services"][host]["ports"]
        )
    names = {source["uid"] for source in sources["datasources"]}
    for path in (DEPLOY / "grafana/dashboards").glob("*.json"):
        assert set(re.findall(r'"uid": "([a-z]+)"', path.read_text("utf-8"))) <= names
    providers = yaml.safe_load((folder / "dashboards/dashboards.yml").read_text("utf-8"))
    mounts = {mount.split(":")[1] for mount in compose["services"]["grafana"]["volumes"]}
    assert {provider["options"]["path"] for provider in providers["providers"]} <= mounts


def test_the_collector_has_what_its_pipelines_use(compose: Json) -> None:
    config = yaml.safe_load((DEPLOY / "otel/collector.yaml").read_text("utf-8"))
    for name, pipeline in config["service"]["pipelines"].items():
        for kind in ("receivers", "processors", "exporters"):
            missing = set(pipeline[kind]) - set(config[kind])
            assert not missing, f"{name} uses {kind} that are not configured: {missing}"
        assert pipeline["processors"][0] == "memory_limiter"
    assert set(config["service"]["extensions"]) == set(config["extensions"])
    for exporter in config["exporters"].values():
        assert exporter["endpoint"].split(":")[0] in compose["services"]
    port = config["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    told = compose["services"]["reservation-api"]["environment"]["MADOGUCHI_OTLP_ENDPOINT"]
    assert told == f"http://otel-collector:{port}"


def _commands(command: object, path: str = "") -> Iterator[str]:
    """The full name of every command that does something."""
    for name, below in getattr(command, "commands", {}).items():
        if not hasattr(below, "commands"):
            yield f"{path}{name}"
        yield from _commands(below, f"{path}{name} ")


def _targets(job: Json) -> dict[str, Json]:
    return {
        target: group.get("labels", {})
        for group in job.get("static_configs", ())
        for target in group["targets"]
    }
