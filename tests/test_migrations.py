"""A release migrates while the one before it serves: no step locks it out or takes away what it uses."""

import asyncio
from pathlib import Path

import pytest

from chassis import migrations
from chassis.application import Service
from finance.app import service as finance
from migration_rules import problems
from notify.app import service as notify
from order.app import service as order
from orderloom.parts import Parts
from portal.app import service as gateway
from project.app import service as project
from stack import template_database

SERVICES = pytest.mark.parametrize("service", [order, project, finance, notify, gateway], ids=lambda each: each.name)

FIRST = """
revision = "0001"
down_revision = None
from alembic import op
import sqlalchemy as sa

def upgrade():
    op.create_table("orders", sa.Column("order_id", sa.Uuid(), primary_key=True), sa.Column("title", sa.Text()))
    op.create_index("orders_title_ix", "orders", ["title"])
"""
NEXT = """
revision = "0002"
down_revision = "0001"
from alembic import op
import sqlalchemy as sa
{contract}
def upgrade():
    {step}
"""


@SERVICES
def test_no_migration_locks_out_or_breaks_the_release_before_it(service: Service) -> None:
    assert list(problems(service.migrations)) == []


@SERVICES
async def test_models_and_migrations_make_the_same_database(service: Service, parts: Parts) -> None:
    await template_database(parts, service)
    url = await parts.create_database(f"differences_{service.name}")
    await asyncio.to_thread(migrations.migrate, url, service.migrations)
    assert await migrations.differences(url, service.metadata) == []


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        ('op.drop_column("orders", "title")', "ban-drop-column"),
        ('op.drop_table("orders")', "ban-drop-table"),
        ('op.alter_column("orders", "title", new_column_name="name")', "renaming-column"),
        ('op.rename_table("orders", "jobs")', "renaming-table"),
        ('op.create_index("other_ix", "orders", ["title"])', "require-concurrent-index-creation"),
        ('op.add_column("orders", sa.Column("note", sa.Text(), nullable=False))', "adding-required-field"),
        ('op.alter_column("orders", "title", nullable=False)', "adding-not-nullable-field"),
        ('op.alter_column("orders", "title", type_=sa.Integer())', "changing-column-type"),
        ('op.create_check_constraint("c", "orders", "title <> \'\'")', "constraint-missing-not-valid"),
        ('op.create_unique_constraint("u", "orders", ["title"])', "disallowed-unique-constraint"),
    ],
)
def test_a_locking_or_destructive_step_is_refused_in_the_release_that_ends_the_use(
    tmp_path: Path, step: str, rule: str
) -> None:
    found = list(problems(_folder(tmp_path, step)))
    assert any(rule in problem for problem in found), found


@pytest.mark.parametrize(
    "step",
    [
        'op.add_column("orders", sa.Column("note", sa.Text()))',
        'op.add_column("orders", sa.Column("n", sa.BigInteger(), server_default="0", nullable=False))',
        'op.create_table("notes", sa.Column("id", sa.Uuid(), primary_key=True), sa.Column("t", sa.Text()))',
    ],
)
def test_what_only_adds_is_allowed(tmp_path: Path, step: str) -> None:
    assert list(problems(_folder(tmp_path, step))) == []


def test_an_index_on_a_table_in_use_is_made_concurrently(tmp_path: Path) -> None:
    step = """with op.get_context().autocommit_block():
        op.create_index("other_ix", "orders", ["title"], postgresql_concurrently=True, if_not_exists=True)"""
    assert list(problems(_folder(tmp_path, step))) == []


def test_what_a_released_version_no_longer_uses_may_be_taken_away(tmp_path: Path) -> None:
    (tmp_path / "released" / "0.1.0").mkdir(parents=True)
    step = 'op.drop_column("orders", "title")'
    done, not_yet = (
        list(problems(_folder(tmp_path / version, step, contract=version), tmp_path / "released"))
        for version in ("0.1.0", "0.2.0")
    )
    assert done == []
    assert not_yet


def _folder(folder: Path, step: str, contract: str | None = None) -> Path:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "0001_first.py").write_text(FIRST)
    declared = f'contract = "{contract}"' if contract else ""
    (versions / "0002_next.py").write_text(NEXT.format(step=step, contract=declared))
    return folder / "migrations"
