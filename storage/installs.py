"""Where Rapport is installed. Tokens come and go as ciphertext; what they say is not the storage's affair."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from storage.ground import AnyRow, Ground, installation, oauth_state


@dataclass(frozen=True, slots=True)
class Installation:
    """One workspace's installation. `token` and `refresh_token` are ciphertext, and empty once it has ended.

    `team_id` is the enterprise's id for an installation on a whole organisation. Without token rotation there is no
    refresh token and `expires_at` is None.
    """

    team_id: str
    installed_at: datetime
    app_id: str = ""
    enterprise_id: str = ""
    team_name: str = ""
    bot_id: str = ""
    bot_user_id: str = ""
    scopes: str = ""
    token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_at: datetime | None = None
    installed_by: str = ""
    ended_at: datetime | None = None


class Installs:
    """All installations, and those that were begun. Every write is one transaction and raises NotSaved."""

    def __init__(self, ground: Ground) -> None:
        self._db = ground.db

    def save(self, made: Installation) -> None:
        """Keep an installation; one that had ended, or an older one of the same workspace, is replaced whole."""
        values = asdict(made)
        with self._db.write() as connection:
            found = connection.execute(update(installation).where(_of(made.team_id)).values(values))
            if found.rowcount == 0:
                connection.execute(insert(installation).values(values))

    def find(self, team_id: str, enterprise_id: str = "") -> Installation | None:
        """The active installation of a workspace, or else the one of its whole organisation. One query."""
        ids = [key for key in (team_id, enterprise_id) if key]
        query = select(installation).where(installation.c.team_id.in_(ids), installation.c.ended_at.is_(None))
        with self._db.read() as connection:
            found = {row.team_id: _to_installation(row) for row in connection.execute(query)}
        return found.get(team_id) or found.get(enterprise_id)

    def all_active(self) -> tuple[Installation, ...]:
        """The installations that have not ended."""
        return self._where(installation.c.ended_at.is_(None))

    def expiring(self, moment: datetime) -> tuple[Installation, ...]:
        """Active installations whose token expires before a moment, or has expired already."""
        return self._where(installation.c.ended_at.is_(None), installation.c.expires_at < moment)

    def ended_before(self, moment: datetime) -> tuple[Installation, ...]:
        """Installations that ended before a moment: their grace is over."""
        return self._where(installation.c.ended_at < moment)

    def end(self, team_id: str, at: datetime, since: datetime | None = None) -> bool:
        """End an installation and empty its tokens; False when there was none to end.

        Told again, the first time stands. `since` spares an installation that was made later than that.
        """
        i = installation.c
        late = [] if since is None else [i.installed_at <= since]
        gone = {"ended_at": at, "token": "", "refresh_token": "", "expires_at": None}
        with self._db.write() as connection:
            return _hit(connection, update(installation).where(_of(team_id), i.ended_at.is_(None), *late).values(gone))

    def forget(self, team_id: str) -> None:
        """Delete the row, after the data."""
        with self._db.write() as connection:
            connection.execute(delete(installation).where(_of(team_id)))

    def rotate(self, team_id: str, old_refresh: str, token: str, refresh: str, expires_at: datetime) -> bool:
        """Put a new pair in the place of the one it was made from; False when that is no longer the one that is kept.

        Slack's refresh tokens work once. Whoever comes second holds nothing newer, whatever it holds.
        """
        i = installation.c
        pair = {"token": token, "refresh_token": refresh, "expires_at": expires_at}
        same = (_of(team_id), i.refresh_token == old_refresh, i.ended_at.is_(None))
        with self._db.write() as connection:
            return _hit(connection, update(installation).where(*same).values(pair))

    def issue_state(self, state: str, expires_at: datetime) -> None:
        """Remember that an installation was begun."""
        with self._db.write() as connection:
            connection.execute(insert(oauth_state).values(state=state, expires_at=expires_at))

    def consume_state(self, state: str, now: datetime) -> bool:
        """Take a state back: True once, in time. Stale ones are deleted on the way."""
        s = oauth_state.c
        with self._db.write() as connection:
            fresh = _hit(connection, delete(oauth_state).where(s.state == state, s.expires_at > now))
            connection.execute(delete(oauth_state).where(or_(s.state == state, s.expires_at <= now)))
        return fresh

    def sweep_states(self, now: datetime) -> None:
        """Delete the states of installations that were begun and never finished."""
        with self._db.write() as connection:
            connection.execute(delete(oauth_state).where(oauth_state.c.expires_at <= now))

    def _where(self, *conditions: ColumnElement[bool]) -> tuple[Installation, ...]:
        query = select(installation).where(*conditions).order_by(installation.c.team_id)
        with self._db.read() as connection:
            return tuple(_to_installation(row) for row in connection.execute(query))


def _of(team_id: str) -> ColumnElement[bool]:
    return installation.c.team_id == team_id


def _hit(connection: Connection, statement: Any) -> bool:
    return bool(connection.execute(statement).rowcount)


def _to_installation(row: AnyRow) -> Installation:
    return Installation(**row._mapping)
