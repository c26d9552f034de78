import base64
import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from orderloom import keys
from orderloom.cli import main


def test_tokens_signed_with_the_key_verify_by_the_published_set(tmp_path: Path) -> None:
    keys.ensure(tmp_path / "signing.pem", tmp_path / "jwks.json")
    (published,) = json.loads((tmp_path / "jwks.json").read_text())["keys"]
    assert (published["kty"], published["crv"], published["alg"], published["use"]) == (
        "OKP",
        "Ed25519",
        "EdDSA",
        "sig",
    )
    token = jwt.encode({"sub": "somebody"}, (tmp_path / "signing.pem").read_bytes(), algorithm="EdDSA")
    assert jwt.decode(token, jwt.PyJWK(published), algorithms=["EdDSA"]) == {"sub": "somebody"}


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    keys.ensure(tmp_path / "signing.pem", tmp_path / "jwks.json")
    first = (tmp_path / "signing.pem").read_bytes(), (tmp_path / "jwks.json").read_bytes()
    keys.ensure(tmp_path / "signing.pem", tmp_path / "jwks.json")
    assert ((tmp_path / "signing.pem").read_bytes(), (tmp_path / "jwks.json").read_bytes()) == first
    assert (tmp_path / "signing.pem").stat().st_mode & 0o777 == 0o600


def test_the_key_is_named_by_its_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    public = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    assert keys.jwk(Ed25519PublicKey.from_public_bytes(public))["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_set_that_has_more_keys_keeps_them(tmp_path: Path) -> None:
    signing_key, key_set = tmp_path / "signing.pem", tmp_path / "jwks.json"
    keys.ensure(signing_key, key_set)
    old = keys.public_half(signing_key)
    signing_key.write_text(keys.new_signing_key())
    keys.ensure(signing_key, key_set)
    assert json.loads(key_set.read_text())["keys"] == [keys.public_half(signing_key), old]


def test_the_command_prints_the_public_halves_of_several_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "old.pem", tmp_path / "new.pem"]
    for file in files:
        file.write_text(keys.new_signing_key())
    assert main(["keys", *map(str, files)]) == 0
    assert json.loads(capsys.readouterr().out)["keys"] == [keys.public_half(file) for file in files]
