"""The environment each service process is started with.

Invariant: a room is given its own secrets and its own database address, never another room's;
what the operator set by hand counts before what we made.
"""

import json
import os

from deploy.embedded import keys
from deploy.embedded.keys import KeyStore
from deploy.embedded.plan import ROLES, ROOMS, Plan
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.postgres import EmbeddedPostgres

CITIZENS_ISSUED_BY = "reservation"
WRITES_TO_CITIZENS = "reservation"
SHOWS_THE_HOUSE = "reporting"
HAS_PAGES_OF_STAFF = ("issuance", "reporting")
READS_NOTICES = ("preparation", "reservation", "issuance")
ONLY_FOR = {
    "MADOGUCHI_NOTICE_KEYS": READS_NOTICES,
    "MADOGUCHI_CITIZEN_SIGNING_KEY_FILE": (CITIZENS_ISSUED_BY,),
}


def room_environment(
    plan: Plan, room: str, store: KeyStore, postgres: EmbeddedPostgres
) -> dict[str, str]:
    """Everything a process of this room needs, on top of the system's own environment."""
    made = _shared(plan, postgres, store) | _own(plan, room, store, postgres)
    given = {name: value for name, value in plan.environment.items() if not _foreign(name, room)}
    system = {k: v for k, v in os.environ.items() if not k.startswith("MADOGUCHI_")}
    return {**system, "PYTHONUNBUFFERED": "1", **made, **given}


def database_url(plan: Plan, database: str, postgres: EmbeddedPostgres) -> str:
    """Where a room's database (or `audit`) is: as set by the operator, or in our own server."""
    setting = f"MADOGUCHI_{database.upper()}_DATABASE_URL"
    return plan.environment.get(setting) or postgres.url(database, database)


PAGES = "madoguchi-pages"
"""The client of staff's pages at the development issuer, and in the realm of containers."""


def _shared(plan: Plan, postgres: EmbeddedPostgres, store: KeyStore) -> dict[str, str]:
    citizens = plan.url(CITIZENS_ISSUED_BY)
    return {
        "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS": plan.bootstrap,
        "MADOGUCHI_OIDC_ISSUER": plan.issuer,
        "MADOGUCHI_CITIZEN_ISSUER": f"{citizens}/citizens",
        "MADOGUCHI_CITIZEN_JWKS_URL": f"{citizens}/v1/citizen-keys",
        "MADOGUCHI_AUDIT_DATABASE_URL": database_url(plan, "audit", postgres),
        "MADOGUCHI_AUDIT_SIGNING_KEY_FILE": str(store.path(keys.AUDIT)),
    }


def _pages(plan: Plan, room: str) -> dict[str, str]:
    """How staff sign in to a room's pages; with a provider of the city it says so itself."""
    if room not in HAS_PAGES_OF_STAFF or not plan.embeds_issuer:
        return {}
    prefix = f"MADOGUCHI_{room.upper()}_PAGE_"
    return {f"{prefix}CLIENT_ID": PAGES, f"{prefix}URL": plan.url(room)}


def _own(plan: Plan, room: str, store: KeyStore, postgres: EmbeddedPostgres) -> dict[str, str]:
    prefix = f"MADOGUCHI_{room.upper()}_"
    own = {
        **_pages(plan, room),
        f"{prefix}DATABASE_URL": database_url(plan, room, postgres),
        f"{prefix}MASTER_KEYS": store.master_keys(room),
        **{
            f"{prefix}{role.upper()}_PORT": str(plan.port(room, role))
            for role in ("api", "consume", "relay")
        },
    }
    if room in READS_NOTICES:
        own["MADOGUCHI_NOTICE_KEYS"] = store.notice_keys()
    if room == CITIZENS_ISSUED_BY:
        own["MADOGUCHI_CITIZEN_SIGNING_KEY_FILE"] = str(store.path(keys.CITIZEN))
    if room == SHOWS_THE_HOUSE:
        own[f"{prefix}METRICS_URLS"] = json.dumps(_metrics(plan))
    if room == WRITES_TO_CITIZENS:
        own[f"{prefix}MAIL_URL"] = plan.home.mail.as_uri()
    return own


def _metrics(plan: Plan) -> dict[str, str]:
    """Where each process of this installation tells of itself."""
    return {
        f"{room}-{role}": f"http://{LOOPBACK}:{plan.port(room, role)}/metrics"
        for room in ROOMS
        for role in ROLES
    }


def _foreign(name: str, room: str) -> bool:
    """Whether a setting is another room's own."""
    if name in ONLY_FOR:
        return room not in ONLY_FOR[name]
    return any(name.startswith(f"MADOGUCHI_{other.upper()}_") for other in ROOMS if other != room)
