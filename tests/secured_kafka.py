"""An Apache Kafka that speaks TLS with those who sign in, and allows what the catalogue's access lists allow."""

import ipaddress
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chassis.clock import utc_now
from chassis.ids import new_id
from contracts import acls
from contracts.topics import SERVICES
from orderloom import apache_kafka
from orderloom.parts import running_apache_kafka

SUPER_USER = "root"
SYSTEMS = ("erp-north", "erp-south")
QUICK_START = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -Xshare:auto"}
USERS = (SUPER_USER, *SERVICES, *SYSTEMS, acls.OPERATORS)


@dataclass(frozen=True)
class SecuredKafka:
    bootstrap_servers: str
    ca_file: Path
    passwords: dict[str, str]

    def settings(self, user: str, **changed: Any) -> dict[str, Any]:
        """What a process is told that signs in as `user`."""
        return {
            "kafka_bootstrap_servers": self.bootstrap_servers,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_username": user,
            "kafka_sasl_password": self.passwords[user],
            "kafka_ca_file": self.ca_file,
            "kafka_idempotent_producer": True,
            "fetch_max_wait_ms": 500,
        } | changed


@contextmanager
def running_secured_kafka(folder: Path) -> Iterator[SecuredKafka]:
    ca_file, keystore = make_certificates(folder)
    passwords = {user: new_id().hex for user in USERS}
    sign_in = f'username="{SUPER_USER}" password="{passwords[SUPER_USER]}"'
    scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {sign_in};"
    properties = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keystore),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(ca_file),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.secured.scram-sha-512.sasl.jaas.config": scram,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{SUPER_USER};User:ANONYMOUS",  # the controller's listener asks nobody who they are
    }
    with running_apache_kafka(protocol="SASL_SSL", properties=properties, users=passwords) as bootstrap_servers:
        kafka = SecuredKafka(bootstrap_servers, ca_file, passwords)
        allow(kafka, folder / "admin.properties", scram)
        yield kafka


def allow(kafka: SecuredKafka, properties: Path, scram: str) -> None:
    """Put the catalogue's access lists on the broker, with Kafka's own tool."""
    told = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": scram,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(kafka.ca_file),
    }
    properties.write_text("".join(f"{name}={value}\n" for name, value in told.items()))
    reached = ["--bootstrap-server", kafka.bootstrap_servers, "--command-config", str(properties)]

    def run(grant: acls.Grant) -> None:
        tool = apache_kafka.tool("org.apache.kafka.tools.AclCommand", *reached, *acls.arguments(grant))
        subprocess.run(tool, check=True, stdout=subprocess.DEVNULL, env=os.environ | QUICK_START)

    with ThreadPoolExecutor(2) as running:
        list(running.map(run, acls.grants(systems=SYSTEMS)))


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate authority of this test, and the key and certificate of a broker on the loopback address."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
    authority = _certificate(authority_name, authority_name, authority_key.public_key())
    authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    broker_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    broker = _certificate(broker_name, authority_name, key.public_key())
    broker = broker.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ca_file, keystore = folder / "ca.pem", folder / "broker.pem"
    ca_file.write_bytes(authority.sign(authority_key, hashes.SHA256()).public_bytes(pem))
    keystore.write_bytes(private + broker.sign(authority_key, hashes.SHA256()).public_bytes(pem))
    return ca_file, keystore


def _certificate(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        subject_name=name,
        issuer_name=issuer,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=utc_now() - timedelta(minutes=5),
        not_valid_after=utc_now() + timedelta(days=1),
    )
