"""The environment, read once, as one frozen value that is passed down.

Nothing else in the project reads `os.environ` for configuration. Each field is set by the
variable `MILLRACE_<FIELD>`, for example `MILLRACE_HOME=/srv/millrace`; the last ones have names
that many programs know. Where a case's table lies may also be said by `MILLRACE_SOURCE_<CASE>`.
Airflow, MLflow, Spark and OpenLineage's client read what is theirs themselves, and so do a stage,
which is told its Airflow task, and a Dag, told its first night: no configuration, but one call's.
"""

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import URL, make_url

from pipelines.core.locations import source_locations
from pipelines.use_cases.spec.interval import Interval

ROOT = Path(__file__).resolve().parents[2]

# Leaves room for `/supervisor/control` and the suffix it has while it is made.
_LONGEST_HOME = 75


@dataclass(frozen=True)
class ObjectAddresses:
    """Where the stores of `pipelines.stores.objects` are, as fsspec reads an address.

    Example:
        >>> ObjectAddresses(lake="/srv/lake", reports="/srv/reports", lineage="/srv/l").landing
        '/srv/lake/landing'
    """

    lake: str
    reports: str
    lineage: str

    @property
    def landing(self) -> str:
        return f"{self.lake}/landing"

    @property
    def warehouse(self) -> str:
        return f"{self.lake}/warehouse"

    @property
    def artifacts(self) -> str:
        """In the lake, because Spark's workers read there."""
        return f"{self.lake}/artifacts"


class Settings(BaseSettings):
    """Where every part of the platform is; the defaults are the embedded parts under `home`.

    Example:
        >>> Settings(home="/srv/millrace").objects.lake
        '/srv/millrace/lake'
    """

    model_config = SettingsConfigDict(
        env_prefix="MILLRACE_",
        frozen=True,
        extra="forbid",
        # A refusal shows what was given, passwords too, by default.
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    home: Path = Field(ROOT / ".millrace", description="all local state; `make clean` removes it")
    host: str = Field("127.0.0.1", description="the address that services bind to")
    airflow_port: int = Field(8080, ge=1, le=65535)
    mlflow_port: int = Field(5000, ge=1, le=65535)
    spark_port: int = Field(15002, ge=1, le=65535)
    spark_ui_port: int = Field(4040, ge=1, le=65535)
    spark_memory: str = Field("2g", pattern=r"^\d+[mg]$", description="the JVM's heap")
    spark_java_options: str = Field("", description="more options of the JVM, set apart by spaces")

    maven_repository: str = Field("", description="a mirror; empty: Maven Central itself")

    # An address without a credential takes the one in `secrets/`, if there is one.
    spark_remote: str = Field("", description="sc://...; empty: the embedded Spark Connect server")
    postgres: str = Field("", description="postgresql+psycopg2://...; empty: the embedded server")
    catalog: Literal["derby", "postgres"] = Field(
        "derby", description="where the Spark Connect server keeps its catalog"
    )
    airflow_url: str = ""
    mlflow_url: str = ""
    airflow_public_url: str = Field("", description="as browsers see it; empty: the same address")
    mlflow_public_url: str = Field("", description="as browsers see it; empty: the same address")
    online_store: Literal["sqlite", "redis"] = "sqlite"
    redis: str = Field("", description="host:port of the online store when it is redis")

    device: Literal["cpu", "cuda"] = Field("cpu", description="where the model is trained")

    sources: Mapping[str, Mapping[str, str]] = Field(
        default_factory=dict, description="what a case's source is told, by the case's name"
    )
    now: datetime | None = Field(None, description="a fixed clock, for tests")
    lock_timeout_seconds: float = Field(3600, gt=0, description="how long a stage waits its turn")
    data_roots: tuple[Path, ...] = Field((), description="folders that file sources may read")
    stage_command: Annotated[tuple[str, ...], NoDecode] = Field(
        (sys.executable, "-m", "pipelines"),
        min_length=1,
        description="what Airflow starts a stage by: a JSON list, or words as for a shell",
    )

    cache_home: Path | None = Field(
        None, validation_alias="XDG_CACHE_HOME", description="empty: ~/.cache"
    )
    certificates: Path | None = Field(
        None, validation_alias="SSL_CERT_FILE", description="a PEM file of whom to trust"
    )
    lineage_namespace: str = Field("millrace", validation_alias="OPENLINEAGE_NAMESPACE")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed goes before what is in the environment."""
        return init_settings, source_locations(settings_cls), env_settings

    # Of all fields together it would be, but those of `sources` have no hash.
    def __hash__(self) -> int:
        return hash((self.home, self.postgres))

    @field_validator("stage_command", mode="before")
    @classmethod
    def _words(cls, given: Any) -> Any:
        """A list of arguments from one line: no shell ever sees it."""
        if not isinstance(given, str):
            return given
        return json.loads(given) if given.startswith("[") else shlex.split(given)

    @field_validator("cache_home", "certificates", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None

    @model_validator(mode="after")
    def _absolute_home(self) -> Self:
        if not self.home.is_absolute():
            raise ValueError(f"home: {str(self.home)!r} is relative; give an absolute path")
        return self

    @model_validator(mode="after")
    def _catalog_on_a_server(self) -> Self:
        # The embedded one, and a socket's folder, can't be reached by the JVM's driver.
        if self.catalog == "postgres" and not (self.postgres and make_url(self.postgres).host):
            raise ValueError(
                "catalog: on postgres it needs a server with a host: set MILLRACE_POSTGRES to "
                "postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE, or MILLRACE_CATALOG to derby"
            )
        return self

    @cached_property
    def objects(self) -> ObjectAddresses:
        """What only the object layer, and the server that owns the tables, may read."""
        home = self.home
        return ObjectAddresses(
            lake=f"{home}/lake", reports=f"{home}/reports", lineage=f"{home}/lineage"
        )

    def scratch(self, name: str) -> Path:
        """A process' own working folder on this machine, such as dbt's: nobody else reads it."""
        return self.home / name

    @cached_property
    def logs(self) -> Path:
        return self.home / "logs"

    @cached_property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @cached_property
    def cache(self) -> Path:
        """What several homes share and anybody can fetch again."""
        return (self.cache_home or Path.home() / ".cache") / "millrace"

    @cached_property
    def sockets_home(self) -> Path:
        """`home`, or a short link to it: the path of a Unix socket ends at 107 bytes."""
        if len(bytes(self.home)) <= _LONGEST_HOME:
            return self.home
        return Path("/tmp", f"millrace-{sha256(bytes(self.home)).hexdigest()[:12]}")  # noqa: S108

    @cached_property
    def postgres_folder(self) -> Path:
        """Data and socket of the embedded server; may be a link to where its user can reach."""
        return self.sockets_home / "pg"

    @property
    def embedded_postgres(self) -> bool:
        return not self.postgres

    @property
    def embedded_spark(self) -> bool:
        return not self.spark_remote

    @property
    def spark_url(self) -> str:
        return self.spark_remote or f"sc://{self.host}:{self.spark_port}"

    @property
    def spark_shown(self) -> str:
        """`spark_url` for people, without the properties after it: a token may be among them."""
        return self.spark_url.partition(";")[0]

    @property
    def airflow_api(self) -> str:
        return self.airflow_url or f"http://{self.host}:{self.airflow_port}"

    @property
    def airflow_page(self) -> str:
        return self.airflow_public_url or self.airflow_api

    @property
    def mlflow_uri(self) -> str:
        return self.mlflow_url or f"http://{self.host}:{self.mlflow_port}"

    @property
    def mlflow_page(self) -> str:
        return self.mlflow_public_url or self.mlflow_uri

    def secret(self, name: str) -> str:
        """A secret made at first start (`pipelines.services.secrets`)."""
        return (self.secrets / name).read_text().strip()

    def _secret_if_made(self, name: str) -> str | None:
        return self.secret(name) if (self.secrets / name).exists() else None

    def spark_session(self) -> str:
        """`spark_url` as a client needs it, with its token: never print it.

        Not as `;token=`, for which clients insist on TLS.
        """
        token = self._secret_if_made("spark")
        if token is None or ";" in self.spark_url:
            return self.spark_url
        return f"{self.spark_url}/;authorization=Bearer%20{token}"

    def redis_connection(self) -> str:
        """The online store's address as Feast reads it, with its password: never print it."""
        password = self._secret_if_made("redis")
        if password is None or "password=" in self.redis:
            return self.redis
        return f"{self.redis},password={password}"

    def database(self, name: str, driver: str = "postgresql+psycopg2") -> URL:
        """The address of one database: airflow, mlflow, feast or millrace."""
        if self.postgres:
            address = make_url(self.postgres).set(drivername=driver, database=name)
            return address.set(password=address.password or self._secret_if_made("postgres"))
        return URL.create(
            driver,
            username="millrace",
            password=self.secret("postgres"),
            database=name,
            query={"host": str(self.postgres_folder)},
        )

    def source(self, case: str) -> Mapping[str, str]:
        """What a case's source is told; `location` is where its table lies."""
        return self.sources.get(case, {})

    def environment(self) -> dict[str, str]:
        """The variables that make these settings again, in a process that is started."""
        given = self.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        texts = {
            k: text if isinstance(text, str) else json.dumps(text) for k, text in given.items()
        }
        aliases = {name: each.validation_alias for name, each in type(self).model_fields.items()}
        return {str(aliases[k] or f"MILLRACE_{k.upper()}"): text for k, text in texts.items()}

    def clock(self) -> datetime:
        """The current instant, UTC."""
        return self.now or datetime.now(UTC)

    def yesterday(self) -> Interval:
        """The newest day that is over."""
        return Interval.of_day(self.clock().date() - timedelta(days=1))
