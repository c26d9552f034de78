"""Who a process is to the brokers is said completely, or the process does not start."""

import pytest
from pydantic import ValidationError

from chassis.kafka import KafkaSettings


def test_brokers_in_the_clear_need_nothing_but_their_address() -> None:
    options = KafkaSettings(kafka_bootstrap_servers="kafka:9092").client_options
    assert options == {"bootstrap_servers": "kafka:9092", "security_protocol": "PLAINTEXT", "ssl_context": None}


def test_a_password_is_not_shown_where_settings_are_printed() -> None:
    settings = KafkaSettings(
        kafka_bootstrap_servers="kafka:9092",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_username="order",
        kafka_sasl_password="hush-hush",
    )
    assert "hush-hush" not in repr(settings)
    assert settings.client_options["sasl_plain_password"] == "hush-hush"
    assert settings.client_options["ssl_context"].check_hostname


@pytest.mark.parametrize(
    "told",
    [
        {"kafka_security_protocol": "SASL_PLAINTEXT"},
        {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "order"},
        {"kafka_security_protocol": "SSL", "kafka_certificate_file": "tls.crt"},
    ],
)
def test_half_of_what_the_brokers_ask_for_is_refused_at_the_start(told: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        KafkaSettings(kafka_bootstrap_servers="kafka:9092", **told)  # type: ignore[arg-type]
