"""Bring the audit database up to date. No room owns it, so no room's ``migrate`` does."""

import asyncio
import os

from deploy.embedded.databases import migrate_all

SETTING = "MADOGUCHI_AUDIT_DATABASE_URL"


def main() -> None:
    """The one-shot's work. Raises ``OperatorError`` when the database cannot be migrated."""
    url = os.environ.get(SETTING)
    if not url:
        raise SystemExit(f"{SETTING} is not set")
    applied = asyncio.run(migrate_all({"audit": url}))["audit"]
    print(f"audit: {', '.join(applied) or 'up to date'}")


if __name__ == "__main__":
    main()
