"""`orderloom keys`: the key set by which tokens are verified, made of the keys that sign them."""

import argparse
import json
from pathlib import Path

from orderloom import keys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "signing_keys",
        nargs="+",
        type=Path,
        metavar="FILE.pem",
        help="private keys (PKCS 8, PEM), like those of `openssl genpkey -algorithm ed25519`",
    )


def run(arguments: argparse.Namespace) -> int:
    """The set holds public halves alone."""
    print(json.dumps({"keys": [keys.public_half(file) for file in arguments.signing_keys]}))
    return 0
