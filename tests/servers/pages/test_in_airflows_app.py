"""Airflow's own app, in one process, mounts the pages and lets in whom it has given a login."""

import json
import os
import subprocess
import sys

from pipelines.core.settings import ROOT

VISITS = """
import json, sys, warnings
warnings.simplefilter("ignore")
from airflow.api_fastapi.app import create_app
from airflow.models.revoked_token import RevokedToken
from airflow.settings import engine
from fastapi.testclient import TestClient
client = TestClient(create_app(apps="core"))
RevokedToken.__table__.create(engine, checkfirst=True)
login = client.post("/auth/token", json={"username": "admin", "password": "canary"})
token = login.json()["access_token"]
address = "/millrace/static/style.css"
print(json.dumps({
    "nobody": client.get(address).status_code,
    "unknown page": client.get("/millrace/nowhere").status_code,
    "forged": client.get(address, headers={"cookie": "_token=forged"}).status_code,
    "bearer": client.get(address, headers={"authorization": f"Bearer {token}"}).status_code,
    "cookie": client.get(address, headers={"cookie": f"_token={token}"}).status_code,
}))
"""


def test_s07_airflows_own_login_opens_the_pages(tmp_path):
    passwords = tmp_path / "passwords.json"
    passwords.write_text(json.dumps({"admin": "canary"}))
    options = {
        "AIRFLOW_HOME": tmp_path,
        "AIRFLOW__CORE__PLUGINS_FOLDER": ROOT / "plugins",
        "AIRFLOW__CORE__LOAD_EXAMPLES": False,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": passwords,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 64,
        "AIRFLOW__API__SECRET_KEY": "s" * 64,
        "MILLRACE_HOME": tmp_path / "home",
    }
    environment = {**os.environ, **{name: str(value) for name, value in options.items()}}
    ended = subprocess.run(
        [sys.executable, "-c", VISITS], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(ended.stdout.strip().splitlines()[-1]) == {
        "nobody": 401,
        "unknown page": 401,
        "forged": 403,
        "bearer": 200,
        "cookie": 200,
    }
