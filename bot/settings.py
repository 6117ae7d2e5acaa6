"""Settings: the only reader of the environment. Presence decides: what is not given is done without it."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting, by its usual name; a `.env` file in the working folder is read too. All are optional."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", populate_by_name=True)

    slack_bot_token: SecretStr = Field(default=SecretStr(""), description="Bot token of the workspace (xoxb-…).")
    slack_signing_secret: SecretStr = Field(default=SecretStr(""), description="Signing secret; needed in HTTP mode.")
    slack_app_token: SecretStr = Field(
        default=SecretStr(""), description="App token (xapp-…); when set, Socket Mode is used."
    )
    slack_api_url: str = Field(default="https://slack.com/api/", description="Base URL of Slack's Web API.")
    anthropic_api_key: SecretStr = Field(
        default=SecretStr(""), description="Reserved: without it notes are read by rules."
    )
    anthropic_base_url: str = Field(default="", description="Reserved: base URL of a gateway.")
    database_url: SecretStr = Field(
        default=SecretStr(""), description="Postgres URL; without it SQLite in the data folder."
    )
    qdrant_url: str = Field(default="", description="Qdrant server; without it the embedded index in the data folder.")
    qdrant_api_key: SecretStr = Field(default=SecretStr(""), description="API key of the Qdrant server.")
    rapport_data_dir: Path = Field(default=Path("data"), description="Folder of the database and the embedded index.")
    rapport_embedding_model: str = Field(default="", description="Another fastembed model; without it the bundled one.")
    rapport_team: str = Field(default="local", description="Workspace id the terminal works on.")
    rapport_user: str = Field(default="me", description="Rep the terminal logs notes as.")
    rapport_tz: str = Field(default="UTC", description="IANA time zone that due dates in notes are read in.")
    port: int = Field(default=3000, description="Port of HTTP mode; events arrive at /slack/events.")
