"""Secrets are known to the process that needs them: no log, no answer, no settings that are shown tell them."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_world import ADMINISTRATOR
from pydantic import SecretStr, ValidationError

from chassis.environment import SECRETS_FOLDER
from chassis.kafka import KafkaSettings
from chassis.settings import ServiceSettings
from notify.settings import Settings as NotifySettings
from portal.settings import Settings as GatewaySettings
from stack import KEY, Running

DATABASE, BROKER, MAIL, ADMIN, REMEMBERED = "db-3cr3t", "sasl-3cr3t", "smtp-3cr3t", "adm1n-3cr3t", "hmac-3cr3t"
SECRETS = (DATABASE, BROKER, MAIL, ADMIN, REMEMBERED)
NOWHERE = "127.0.0.1:9"
TOLD: dict[str, str] = {
    "ORDERLOOM_DATABASE_URL": f"postgresql+asyncpg://orderloom:{DATABASE}@{NOWHERE}/order",
    "ORDERLOOM_KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
    "ORDERLOOM_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "ORDERLOOM_KAFKA_SASL_USERNAME": "orderloom",
    "ORDERLOOM_KAFKA_SASL_PASSWORD": BROKER,
    "ORDERLOOM_SMTP_HOST": "127.0.0.1",
    "ORDERLOOM_SMTP_PORT": "9",
    "ORDERLOOM_SMTP_USERNAME": "orderloom",
    "ORDERLOOM_SMTP_PASSWORD": MAIL,
    "ORDERLOOM_ADMIN_PASSWORD": ADMIN,
    "ORDERLOOM_IDEMPOTENCY_SECRET": REMEMBERED,
    "ORDERLOOM_LOG_LEVEL": "DEBUG",
    "ORDERLOOM_PORT": "0",
}
PROGRAM = """
import asyncio, logging, sys, importlib
logging.getLogger().setLevel(logging.DEBUG)
service = importlib.import_module(sys.argv[1]).service
async def a_while():
    try:
        await asyncio.wait_for(service._serve(service.settings(), "all"), 4)
    except TimeoutError:
        pass
from chassis import telemetry
telemetry.start(service=service.name, trace_ratio=1, otlp_endpoint="", log_level="DEBUG")
logging.getLogger().setLevel(logging.DEBUG)
print(service.settings(), repr(service.settings()), service.settings().model_dump(), file=sys.stderr)
asyncio.run(a_while())
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, signing_key: Path) -> dict[str, str]:
    environment = TOLD | {"ORDERLOOM_SIGNING_KEY": str(signing_key)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.mark.parametrize("module", ["order.app", "notify.app", "portal.app"])
def test_a_service_whose_parts_are_away_tells_no_secret_however_much_it_logs(module: str, told: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, module], capture_output=True, text=True, timeout=60, env=told | {"PATH": ""}
    )
    log = ran.stdout + ran.stderr
    assert "127.0.0.1" in log or "Connect" in log, log[-2000:]  # it did try, and did say so
    assert [secret for secret in SECRETS if secret in log] == []


def test_a_migration_that_fails_tells_no_secret(told: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "order.app", "migrate"], capture_output=True, text=True, timeout=60, env=told
    )
    assert ran.returncode != 0
    assert DATABASE not in ran.stdout + ran.stderr


@pytest.mark.parametrize("settings", [ServiceSettings, NotifySettings, GatewaySettings])
def test_settings_that_are_shown_hold_no_secret(settings: type[ServiceSettings], told: dict[str, str]) -> None:
    known = settings()
    assert DATABASE in known.database_url.get_secret_value()
    shown = f"{known} {known!r} {known.model_dump()} {known.model_dump_json()}"
    assert [secret for secret in SECRETS if secret in shown] == []


def test_settings_that_are_wrong_are_refused_without_a_word_of_them(
    told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLOOM_KAFKA_SASL_USERNAME", "")
    monkeypatch.setenv("ORDERLOOM_PORT", DATABASE)
    with pytest.raises(ValidationError) as refused:
        ServiceSettings()
    assert [secret for secret in SECRETS if secret in str(refused.value) + repr(refused.value)] == []


def test_every_setting_that_sounds_like_a_secret_is_kept_as_one() -> None:
    for settings in (KafkaSettings, ServiceSettings, NotifySettings, GatewaySettings):
        for name, field in settings.model_fields.items():
            if name.endswith(("password", "secret", "token", "database_url")):
                assert field.annotation is SecretStr, (settings, name)


def test_secrets_can_come_from_files_and_the_environment_goes_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ORDERLOOM_DATABASE_URL").write_text("postgresql+asyncpg://from-a-file\n")
    (tmp_path / "orderloom_idempotency_secret").write_text("from a file")
    monkeypatch.setenv(SECRETS_FOLDER, str(tmp_path))
    monkeypatch.setenv("ORDERLOOM_KAFKA_BOOTSTRAP_SERVERS", NOWHERE)
    known = ServiceSettings()
    assert known.database_url.get_secret_value() == "postgresql+asyncpg://from-a-file"
    assert known.idempotency_secret.get_secret_value() == "from a file"
    monkeypatch.setenv("ORDERLOOM_DATABASE_URL", "postgresql+asyncpg://from-the-environment")
    assert ServiceSettings().database_url.get_secret_value().endswith("environment")
    monkeypatch.setenv(SECRETS_FOLDER, str(tmp_path / "missing"))
    with pytest.raises(NotADirectoryError):
        ServiceSettings()


async def test_passwords_keys_and_tokens_are_in_no_answer_no_log_and_no_table(
    gateway_of_all: Running,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    logs_as_in_production: None,
) -> None:
    password, better = "pa55-of-wang", "pa55-of-wang-2"
    user: dict[str, Any] = {"user_id": "wang", "name": "W", "locale": "en", "roles": ["sales"], "password": password}
    key = {"Idempotency-Key": "k-1"}
    answers = [await gateway_of_all.post("/users", ADMINISTRATOR, json=user, headers=key) for _ in range(2)]
    answers += [await gateway_of_all.post("/users", ADMINISTRATOR, json=user | {"locale": password})]
    signed_in = await gateway_of_all.post("/auth/sign-in", json={"user": "wang", "password": password})
    issued = await gateway_of_all.post("/api-keys", ADMINISTRATOR, json={"system": "erp", "scopes": ["orders:read"]})
    token, api_key = signed_in.json()["token"], issued.json()["key"]
    answers.append(await gateway_of_all.post("/auth/sign-in", json={"user": "wang", "password": better}))
    changed = {"present_password": password, "new_password": better}
    bearer = {"Authorization": f"Bearer {token}"}
    monkeypatch.setattr("portal.passwords.hashed", lambda *_: 1 / 0)
    answers.append(await gateway_of_all.post("/auth/password", headers=bearer, json=changed))
    answers.append(await gateway_of_all.get("/work/orders", headers={"X-Api-Key": api_key}))
    assert [each.status_code for each in answers] == [201, 201, 422, 401, 500, 200]
    told = capfd.readouterr()
    assert "ZeroDivisionError" in told.out + told.err
    tables = await gateway_of_all.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    kept = [str(await gateway_of_all.rows(f"SELECT * FROM {row['tablename']}")) for row in tables]
    everything = "".join(each.text for each in answers[:2] + answers[3:]) + told.out + told.err + "".join(kept)
    assert [secret for secret in (password, better, token, api_key) if secret in everything] == []


async def test_what_is_remembered_of_a_request_cannot_be_guessed_from_the_database(gateway_of_all: Running) -> None:
    content = json.dumps({"password": "password1"}).encode()
    await gateway_of_all.post("/users", ADMINISTRATOR, json={"user_id": "a", "name": "A", "locale": "en", "roles": []})
    path, key = "/users/a/password", {"Idempotency-Key": "k-2", "Content-Type": "application/json"}
    answer = await gateway_of_all.post(path, ADMINISTRATOR, content=content, headers=key)
    assert answer.status_code == 204
    (row,) = await gateway_of_all.rows("SELECT request_sha256 FROM idempotency_keys")
    guess = hashlib.sha256(b"\n".join([b"POST", path.encode(), b"", content])).hexdigest()
    assert row["request_sha256"] not in (guess, hashlib.sha256(content).hexdigest())
    again = await gateway_of_all.post(path, ADMINISTRATOR, content=content, headers=key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (204, "true")
    other = await gateway_of_all.post(path, ADMINISTRATOR, content=content + b" ", headers=key)
    assert other.status_code == 422
    assert KEY.private_bytes_raw().hex() not in str(row)
