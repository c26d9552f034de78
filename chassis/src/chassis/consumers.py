"""What a service listens to: its consumer functions, registered by the fact, the request or the timer they are for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.delivery import Delivery, Letter
from chassis.errors import Undeliverable
from chassis.timers import Timer
from contracts.event import DirectoryEvent, Event, OrderEvent

E = TypeVar("E", bound=Event)
Handler = Callable[[Any, AsyncSession], Awaitable[None]]
DeliveryHandler = Callable[[Delivery, AsyncSession], Awaitable[None]]
LetterHandler = Callable[[Letter, AsyncSession], Awaitable[None]]
GiveUp = Callable[[Letter, Exception, AsyncSession], Awaitable[None]]
TimerHandler = Callable[[Timer, AsyncSession], Awaitable[None]]


@dataclass(frozen=True)
class Requests:
    """What to do with each message of a topic on which systems outside ask, and when that cannot be done."""

    topic: str
    handle: LetterHandler
    give_up: GiveUp


class Consumers:
    """The facts that one consumer listens to, and what it does on each. A fact is applied once per consumer."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlers: dict[str, tuple[type[Event], Handler]] = {}
        self.every: dict[str, DeliveryHandler] = {}
        self.requests: Requests | None = None
        self.timer_handlers: dict[str, TimerHandler] = {}

    def on(self, event_class: type[E]) -> Callable[[Callable[[E, AsyncSession], Awaitable[None]]], Handler]:
        """Apply every `event_class` with the decorated function."""

        def register(handler: Callable[[E, AsyncSession], Awaitable[None]]) -> Handler:
            if event_class.type in self.handlers:
                raise ValueError(f"{self.name} has a handler for {event_class.type} already: call both from one.")
            self.handlers[event_class.type] = (event_class, handler)
            return handler

        return register

    def on_every(self, topic: str) -> Callable[[DeliveryHandler], DeliveryHandler]:
        """Apply every record of `topic`, known or not, with the decorated function; the body is not decoded."""

        def register(handler: DeliveryHandler) -> DeliveryHandler:
            self.every[topic] = handler
            return handler

        return register

    def on_requests(self, topic: str, *, give_up: GiveUp) -> Callable[[LetterHandler], LetterHandler]:
        """Answer every message of `topic`. What cannot be handled after some attempts is handed to `give_up`."""

        def register(handler: LetterHandler) -> LetterHandler:
            self.requests = Requests(topic, handler, give_up)
            return handler

        return register

    def on_timer(self, kind: str) -> Callable[[TimerHandler], TimerHandler]:
        """Fire the timers of `kind` with the decorated function, which checks its condition again."""

        def register(handler: TimerHandler) -> TimerHandler:
            self.timer_handlers[kind] = handler
            return handler

        return register

    @property
    def topics(self) -> set[str]:
        """Every topic that this consumer has to read."""
        of_facts = {event_class.topic for event_class, _ in self.handlers.values()}
        return of_facts | set(self.every) | ({self.requests.topic} if self.requests else set())

    def wants(self, delivery: Delivery) -> bool:
        """Whether this consumer does anything on it, known by the envelope alone."""
        return delivery.topic in self.every or delivery.type in self.handlers

    async def handle(self, delivery: Delivery, session: AsyncSession) -> None:
        """Apply it.

        Raises what the handler raises, `ValidationError` for a body that breaks its schema, and `Undeliverable` for
        one that is about something else than its key says: it would overtake what is told of that.
        """
        if delivery.topic in self.every:
            await self.every[delivery.topic](delivery, session)
        if delivery.type in self.handlers:
            event_class, handler = self.handlers[delivery.type]
            event = event_class.model_validate_json(delivery.body)
            if (key := _key_of(event)) not in (None, delivery.key):
                raise Undeliverable(f"Its key is {delivery.key}, and its body is about {key}.")
            await handler(event, session)


def _key_of(event: Event) -> str | None:
    if isinstance(event, OrderEvent):
        return str(event.order_id)
    return event.key if isinstance(event, DirectoryEvent) else None
