from datetime import timedelta

import pytest
from sqlalchemy import text

from chassis import diagnosis, parking
from chassis.clock import utc_now
from chassis.diagnosis import Finding, Unwell, diagnose, looks_of
from chassis.settings import ServiceSettings
from chassis.tokens import Verifier
from probe import Probe

pytestmark = pytest.mark.usefixtures("durable")


@pytest.fixture
def durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database of tests forgets on purpose: as far as these tests go, it does not."""
    forgetful = diagnosis.ABOUT_DATABASE
    for name in ("fsync", "full_page_writes"):
        forgetful = forgetful.replace(f"current_setting('{name}')", "'on'")
    monkeypatch.setattr(diagnosis, "ABOUT_DATABASE", forgetful)


async def looked_at(probe: Probe, settings: ServiceSettings | None = None) -> dict[str, Finding]:
    settings = settings or probe.settings
    verifier = Verifier(settings.jwks, issuer="x", audience="x")
    findings = await diagnose(looks_of("order", settings, probe.database, verifier, sees_bus=True))
    return {each.about: each for each in findings}


async def test_a_service_that_has_all_that_it_needs_is_well(probe: Probe) -> None:
    assert [each for each in (await looked_at(probe)).values() if not each.is_well] == []


async def test_a_database_that_forgets_is_said_to(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    found = (await looked_at(probe))["database"]
    assert (found.is_well, found.says.partition(":")[0]) == (False, "fsync is off")


async def test_a_misspelt_variable_is_named_with_the_one_that_is_meant(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLOOM_CONECTIONS_MAX", "50")
    monkeypatch.setenv("ORDERLOOM_OF_ANOTHER_SERVICE", "x")
    found = (await looked_at(probe))["settings"]
    assert found.says == "No setting reads ORDERLOOM_CONECTIONS_MAX: is ORDERLOOM_CONNECTIONS_MAX meant?"
    monkeypatch.delenv("ORDERLOOM_CONECTIONS_MAX")
    assert (await looked_at(probe))["settings"].is_well


async def test_topics_that_are_missing_are_named(probe: Probe) -> None:
    found = (await looked_at(probe, probe.settings.model_copy(update={"topic_prefix": "nobody-"})))["bus"]
    assert not found.is_well
    assert found.says.startswith("Not there, or not ours to see: nobody-directory, nobody-gateway.rebuild, ")


async def test_a_broker_that_does_not_answer_is_said_to_and_the_rest_is_looked_at(probe: Probe) -> None:
    findings = await looked_at(probe, probe.settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:9"}))
    assert [each.about for each in findings.values() if not each.is_well] == ["bus"]


async def test_facts_that_do_not_leave_and_keys_that_are_parked_are_counted(probe: Probe) -> None:
    an_hour_ago = utc_now() - timedelta(hours=1)
    async with probe.database.transaction() as session:
        await parking.park_key(session, "probe", "a", RuntimeError("x"))
        await session.execute(
            text(
                "INSERT INTO outbox (event_id, topic, key, type, headers, body, recorded_at) "
                "VALUES (gen_random_uuid(), 'orders', 'a', 'x', '{}', '{}', :at)"
            ),
            {"at": an_hour_ago},
        )
    findings = await looked_at(probe)
    assert findings["parked"].says.startswith("1 keys are parked")
    assert findings["outbox"].says.startswith("1 facts wait to be published, the oldest for 3,6")


async def test_without_keys_it_says_that_nobody_can_sign_in(probe: Probe) -> None:
    found = (await looked_at(probe, probe.settings.model_copy(update={"jwks": ""})))["keys"]
    assert not found.is_well
    assert found.says.startswith("ORDERLOOM_JWKS names no keys")


async def test_a_clock_that_is_wrong_is_said_to_be(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.diagnosis.time.time", lambda: 0.0)
    found = (await looked_at(probe))["clock"]
    assert not found.is_well
    assert "seconds apart" in found.says


async def test_what_cannot_be_looked_at_at_all_is_a_finding_too() -> None:
    async def broken() -> str:
        raise RuntimeError("odd")

    async def unwell() -> str:
        raise Unwell("Do this.")

    assert await diagnose({"a": broken, "b": unwell}) == [
        Finding("a", False, "It does not answer as it should: RuntimeError: odd"),
        Finding("b", False, "Do this."),
    ]
