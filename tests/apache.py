"""What only a real Apache Kafka can show."""

import os

import pytest

needs_apache_kafka = pytest.mark.skipif(
    os.environ.get("ORDERLOOM_TEST_BROKER") != "apache", reason="needs Apache Kafka: `make test-kafka` runs it"
)
