"""An order as a row of the list."""

from markupsafe import Markup

from portal.models import OrderView
from portal.order_lines import Lines
from portal.pages import names
from portal.pages.language import N_, Formats
from portal.pages.marks import late_days, order_state, thread
from portal.pages.rendering import part

WAITING = N_("Waiting on the client")


def rows(fmt: Formats) -> Lines[Markup]:
    """In the language of `fmt`; what is late is so on its day."""

    def render(order: OrderView) -> Markup:
        return part(
            "work/order_row.html",
            fmt,
            order=order,
            thread=thread(order, fmt, is_client=False),
            state=order_state(order, fmt.today),
            status=fmt.text(WAITING if order.sign_off_possible else names.ORDER_STATUS.get(order.status, order.status)),
            late=late_days(order, fmt.today),
        )

    return Lines(f"row {fmt.language}", render, valid_for=fmt.today.isoformat())
