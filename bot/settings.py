"""Settings: the only reader of the environment. Presence decides: what is not given is done without it."""

from decimal import Decimal
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
        default=SecretStr(""), description="With it Claude reads notes and words answers; without it, rules do."
    )
    anthropic_base_url: str = Field(default="", description="Base URL of a gateway in front of Claude.")
    rapport_model_read: str = Field(default="claude-haiku-5-5", description="Model that reads notes.")
    rapport_model_words: str = Field(
        default="claude-sonnet-5-5", description="Model that words briefs, answers and digests."
    )
    rapport_effort: str = Field(default="low", description="How hard the models think: low, medium, high.")
    rapport_llm_seconds: float = Field(
        default=60.0, gt=0, le=90, description="Deadline of a call to Claude with its retries, in seconds; at most 90."
    )
    rapport_llm_patience: float = Field(
        default=25.0,
        gt=0,
        le=90,
        description="Seconds until the answer by rules is shown; Claude's then takes its place.",
    )
    rapport_llm_at_a_time: int = Field(default=4, ge=1, description="Calls to Claude side by side.")
    rapport_llm_rereads: int = Field(
        default=30, ge=1, description="Notes a minute that Claude reads in the background, new and old together."
    )
    rapport_llm_tokens_read: int = Field(
        default=4000, ge=1, description="Tokens for reading a note, thinking included."
    )
    rapport_llm_tokens_words: int = Field(default=6000, ge=1, description="Tokens for a brief or an answer.")
    rapport_llm_tokens_digest: int = Field(default=16000, ge=1, description="Tokens for a digest.")
    rapport_llm_budget: Decimal = Field(
        default=Decimal(0), description="Dollars a month for Claude, estimated; beyond it rules answer. 0: no limit."
    )
    slack_client_id: str = Field(default="", description="Client id; with it many workspaces install by OAuth (HTTP).")
    slack_client_secret: SecretStr = Field(default=SecretStr(""), description="Client secret, for OAuth.")
    rapport_encryption_key: SecretStr = Field(
        default=SecretStr(""),
        description="Fernet key(s) that tokens are kept under; comma separated, the first encrypts.",
    )
    rapport_public_url: str = Field(default="", description="Public base URL, for the OAuth redirect.")
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
