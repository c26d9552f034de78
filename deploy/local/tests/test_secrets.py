from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from contracts.topics import SERVICES
from orderloom.commands import secrets


def test_every_service_gets_a_password_of_its_own_that_stands_in_its_address(tmp_path: Path) -> None:
    secrets.make(tmp_path, database_server="db:5432")
    passwords = {(tmp_path / f"{service}-database-password").read_text() for service in SERVICES}
    assert len(passwords) == len(SERVICES) and all(len(password) >= 32 for password in passwords)
    for service in SERVICES:
        password = (tmp_path / f"{service}-database-password").read_text()
        address = (tmp_path / f"{service}-database-url").read_text()
        assert address == f"postgresql+asyncpg://{service}:{password}@db:5432/{service}"


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    first = secrets.make(tmp_path, database_server="db:5432")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "admin-password").unlink()
    assert sorted(before) == first
    assert secrets.make(tmp_path, database_server="elsewhere:1") == ["admin-password"]
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.pop("admin-password") != before.pop("admin-password")
    assert after == before


def test_the_folder_is_its_owners_and_a_file_of_it_can_be_read_by_the_user_of_a_container(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    secrets.make(folder, database_server="db:5432")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}


def test_the_signing_key_is_one_that_the_gateway_takes(tmp_path: Path) -> None:
    secrets.make(tmp_path, database_server="db:5432")
    assert load_pem_private_key((tmp_path / "signing-key.pem").read_bytes(), password=None)
