"""HTTP in, operation or query called; decides nothing. One router by noun."""

from portal.api.api_keys import api_keys
from portal.api.portal import portal
from portal.api.rooms import rooms
from portal.api.services import services
from portal.api.sign_in import keys, sign_in
from portal.api.sign_in_page import sign_in_page
from portal.api.users import users
from portal.api.work import work

routers = (services, keys, sign_in, users, api_keys, portal, work, sign_in_page, *rooms)

__all__ = ["routers"]
