"""The pages, by room: each asks the queries and the services, and hands what it got to a template."""

from portal.api.rooms.account import account
from portal.api.rooms.approvals import approvals
from portal.api.rooms.desk import desk
from portal.api.rooms.events import events
from portal.api.rooms.handing_in import handing_in
from portal.api.rooms.integration import integration
from portal.api.rooms.money import money
from portal.api.rooms.office import office
from portal.api.rooms.open import open_pages
from portal.api.rooms.order import order
from portal.api.rooms.orders import orders
from portal.api.rooms.placing import placing
from portal.api.rooms.tasks import tasks

at_work = (desk, approvals, placing, orders, order, tasks, handing_in, money)
rooms = (events, open_pages, account, *at_work, integration, office)

__all__ = ["rooms"]
