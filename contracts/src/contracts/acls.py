"""Who may do what on the bus, as Kafka's access lists say it: rendered from the topic catalogue and from nothing else.

A service signs in under its own name, as do operators; a system outside signs in under a name of its own, and has what
`ERP` stands for. What a list does not allow is refused: the brokers must deny by default.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from contracts.topics import CATALOGUE, ERP, SERVICES

OPERATORS = "operators"
"""They make topics, tell outboxes again and read everything."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """`principal` may do `operations` on these topics and consumer groups; names as in Kafka's own tools."""

    principal: str
    operations: tuple[str, ...]
    topics: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    is_prefix: bool = False
    """The names are beginnings of names."""
    is_of_cluster: bool = False


def grants(prefix: str = "", *, systems: Iterable[str] = (ERP,)) -> list[Grant]:
    """Everything that is allowed in a deployment with `prefix`, in which `systems` are the systems outside."""
    of_services = [_with_prefix(grant, prefix) for service in SERVICES for grant in _of(service, group=service)]
    of_systems = [
        replace(_with_prefix(grant, prefix), principal=system) for system in systems for grant in _of(ERP, group="")
    ]
    return [*of_services, *of_systems, *(_groups_of_its_own(system) for system in systems), *_of_operators(prefix)]


def arguments(grant: Grant) -> list[str]:
    """Of `kafka-acls`, behind the options that name the brokers."""
    operations = [part for operation in grant.operations for part in ("--operation", operation)]
    topics = [part for topic in grant.topics for part in ("--topic", topic)]
    groups = [part for group in grant.groups for part in ("--group", group)]
    pattern = ["--resource-pattern-type", "prefixed"] if grant.is_prefix else []
    cluster = ["--cluster"] if grant.is_of_cluster else []
    return ["--add", "--allow-principal", f"User:{grant.principal}", *operations, *topics, *groups, *pattern, *cluster]


def _of(party: str, *, group: str) -> Iterator[Grant]:
    writes = tuple(topic.name for topic in CATALOGUE if party in topic.writers)
    reads = tuple(topic.name for topic in CATALOGUE if party in topic.readers)
    if writes:
        yield Grant(principal=party, operations=("Write", "Describe"), topics=writes)
    if reads:
        groups = (group,) if group else ()
        yield Grant(principal=party, operations=("Read", "Describe"), topics=reads, groups=groups)


def _groups_of_its_own(system: str) -> Grant:
    return Grant(principal=system, operations=("Read", "Describe"), groups=(system,), is_prefix=True)


def _of_operators(prefix: str) -> list[Grant]:
    every = prefix or "*"
    read = Grant(
        principal=OPERATORS,
        operations=("Read", "Describe"),
        topics=(every,),
        groups=(every,),
        is_prefix=bool(prefix),
    )
    write = replace(read, operations=("Write", "Create", "Alter", "DescribeConfigs", "AlterConfigs"), groups=())
    cluster = Grant(principal=OPERATORS, operations=("Describe", "Create"), is_of_cluster=True)
    return [read, write, cluster]


def _with_prefix(grant: Grant, prefix: str) -> Grant:
    topics, groups = (tuple(prefix + name for name in names) for names in (grant.topics, grant.groups))
    return replace(grant, topics=topics, groups=groups)
