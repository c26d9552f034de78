"""The three dashboards: how the business goes, how facts flow, what it costs."""

from observe.panels import Dashboard, Panel

THREAD = 'consumer="order.thread"'
"""The one consumer that hears every fact of an order exactly once, and of which nothing is ever made again."""


def _told(event_type: str, *, per_seconds: int = 3600) -> str:
    """How many facts of a type a period has."""
    return f'sum(increase(orderloom_applied_facts_total{{{THREAD}, type="{event_type}"}}[{per_seconds}s]))'


def _quantile(share: float, histogram: str, by: str, labels: str = "") -> str:
    return f"histogram_quantile({share}, sum by ({by}, le) (rate({histogram}_bucket{{{labels}}}[5m])))"


def _effect(event_type: str) -> dict[str, str]:
    labels = f'type="{event_type}"'
    return {f"{share:.0%}": _quantile(share, "orderloom_effect_seconds", "type", labels) for share in (0.5, 0.95)}


CHOSEN = 'service=~"$service"'
OF_PROCESS = f"* on (instance) group_left (service, process) orderloom_build_info{{{CHOSEN}}}"
EACH_PROCESS = "{{service}} {{process}} {{instance}}"

BUSINESS = Dashboard(
    uid="orderloom-business",
    title="Orderloom: business",
    has_services=False,
    panels=(
        Panel(
            "Orders under way",
            {"": "sum(max by (order_type, stage, status) (orderloom_orders))"},
            "Submitted, approved, held or delivered, and not closed.",
            is_number=True,
            width=6,
        ),
        Panel(
            "Late against the plan",
            {"": 'max(orderloom_orders_late{against="plan"})'},
            "Their planned end is over and their client has not accepted.",
            is_number=True,
            width=6,
        ),
        Panel(
            "Planned later than wished",
            {"": 'max(orderloom_orders_late{against="wish"})'},
            "They will be late against the date that their client asked for, unless something changes.",
            is_number=True,
            width=6,
        ),
        Panel(
            "Orders in the last day",
            {"": _told("order.placed.v1", per_seconds=86_400)},
            "By people and by systems; one that is placed again after a rejection counts again.",
            is_number=True,
            width=6,
        ),
        Panel(
            "Orders, an hour",
            {
                "placed": _told("order.placed.v1"),
                "approved": _told("order.approved.v1"),
                "rejected": _told("order.rejected.v1"),
                "closed": _told("order.closed.v1"),
            },
            "What comes in and what is done. More in than out for weeks is a backlog of work, not of software.",
        ),
        Panel(
            "Money, an hour",
            {
                "instalments due": _told("instalment.due.v1"),
                "invoices": _told("invoice.issued.v1"),
                "receipts": _told("receipt.recorded.v1"),
                "instalments paid": _told("instalment.paid.v1"),
                "orders settled": _told("account.settled.v1"),
            },
            "How many, not how much: amounts are the finance service's to tell, to those who may know.",
        ),
        Panel(
            "Orders by stage",
            {
                "{{order_type}} {{stage}}": (
                    "sum by (order_type, stage) (max by (order_type, stage, status) (orderloom_orders))"
                )
            },
            "Where orders stand. A stage that only grows is where work is short.",
            is_stacked=True,
        ),
        Panel(
            "From approval to project",
            _effect("project.created.v1"),
            "From the telling of the approval to the project with its tasks. Nobody notices what is under a second.",
            unit="s",
            width=12,
        ),
        Panel(
            "From approval to instalments",
            _effect("instalments.planned.v1"),
            "From the telling of the approval to the plan of its payments.",
            unit="s",
            width=12,
        ),
    ),
)

FLOW = Dashboard(
    uid="orderloom-flow",
    title="Orderloom: flow of facts",
    panels=(
        Panel(
            "Oldest fact not published",
            {"{{service}}": f"max by (service) (orderloom_outbox_age_seconds{{{CHOSEN}}})"},
            "Over 60 s somebody is called: OrderloomFactsNotPublished.",
            unit="s",
        ),
        Panel(
            "Facts not published",
            {"{{service}}": f"max by (service) (orderloom_outbox_pending_facts{{{CHOSEN}}})"},
            "A burst goes within seconds.",
        ),
        Panel(
            "Published, a second",
            {"{{service}}": f"sum by (service) (rate(orderloom_relayed_facts_total{{{CHOSEN}}}[5m]))"},
            "One relay a service publishes; the others wait for its lock.",
            unit="cps",
        ),
        Panel(
            "Records not read",
            {"{{service}} {{topic}}": f"sum by (service, topic) (orderloom_consumer_lag_records{{{CHOSEN}}})"},
            "Over 5,000 for a quarter of an hour more workers are wanted: OrderloomConsumerBehind.",
        ),
        Panel(
            "Age of facts when they are applied",
            {"{{consumer}} 95%": _quantile(0.95, "orderloom_fact_age_seconds", "consumer", CHOSEN)},
            "How far behind the present a service shows the world.",
            unit="s",
        ),
        Panel(
            "Applied, a second",
            {"{{consumer}}": f"sum by (consumer) (rate(orderloom_applied_facts_total{{{CHOSEN}}}[5m]))"},
            "With what was told again left out.",
            unit="cps",
        ),
        Panel(
            "Since the last batch",
            {"{{service}} {{instance}}": f"time() - orderloom_last_batch_timestamp_seconds{{{CHOSEN}}}"},
            "Harmless while nothing is to be read; see the panel of records.",
            unit="s",
        ),
        Panel(
            "Parked and waiting keys",
            {
                "{{service}} parked": f"max by (service) (orderloom_parked_keys{{{CHOSEN}}})",
                "{{service}} waiting": f"max by (service) (orderloom_waiting_keys{{{CHOSEN}}})",
                "{{service}} parked anew": f"sum by (service) (increase(orderloom_parked_facts_total{{{CHOSEN}}}[5m]))",
            },
            "A parked key waits for somebody: OrderloomKeyParked. A waiting one heals by itself.",
        ),
        Panel(
            "Dead letters, an hour",
            {
                "{{service}} {{topic}}": (
                    f"sum by (service, topic) (increase(orderloom_dead_letters_total{{{CHOSEN}}}[1h]))"
                )
            },
            "What nobody can ever apply, by the topic on which it came.",
        ),
        Panel(
            "Timers overdue",
            {"{{service}}": f"max by (service) (orderloom_timers_overdue_seconds{{{CHOSEN}}})"},
            "Over 300 s somebody is told: OrderloomTimersLate.",
            unit="s",
        ),
        Panel(
            "Mail not sent",
            {"e-mails": "max(orderloom_mail_pending)"},
            "Of those who can be reached.",
        ),
        Panel(
            "Oldest mail not sent",
            {"age": "max(orderloom_mail_age_seconds)"},
            "Over 900 s somebody is told: OrderloomMailWaits.",
            unit="s",
        ),
        Panel(
            "Partitions",
            {
                "{{service}} {{topic}} assigned": (
                    f'sum by (service, topic) (orderloom_partitions{{{CHOSEN}, state="assigned"}})'
                ),
                "{{topic}} without a leader": 'max by (topic) (orderloom_partitions{state="leaderless"})',
            },
            "Every partition must be read by some worker of every service.",
            width=24,
        ),
    ),
)

RESOURCES = Dashboard(
    uid="orderloom-resources",
    title="Orderloom: requests and resources",
    panels=(
        Panel(
            "CPU, of one core",
            {EACH_PROCESS: f"rate(process_cpu_seconds_total[5m]) {OF_PROCESS}"},
            "A Python process has one core: over 0.9 it is full (OrderloomProcessBusy).",
            unit="percentunit",
        ),
        Panel(
            "Memory",
            {EACH_PROCESS: f"process_resident_memory_bytes {OF_PROCESS}"},
            "About 90 MiB each when idle; what grows for days is a leak.",
            unit="bytes",
        ),
        Panel(
            "Event loop comes back late",
            {
                "{{service}} {{instance}} 99%": _quantile(
                    0.99, "orderloom_event_loop_delay_seconds", "service, instance", CHOSEN
                )
            },
            "Over half a second everything in the process waits (OrderloomEventLoopSlow).",
            unit="s",
        ),
        Panel(
            "Requests, a second",
            {"{{service}}": f"sum by (service) (rate(orderloom_http_requests_total{{{CHOSEN}}}[5m]))"},
            "Answered, whatever with.",
            unit="reqps",
        ),
        Panel(
            "Share that fails",
            {
                "{{service}}": (
                    f'sum by (service) (rate(orderloom_http_requests_total{{{CHOSEN}, status=~"5.."}}[5m]))'
                    f" / sum by (service) (rate(orderloom_http_requests_total{{{CHOSEN}}}[5m]))"
                )
            },
            "Over 2 % somebody is called: OrderloomRequestsFail.",
            unit="percentunit",
        ),
        Panel(
            "Refused, a second",
            {
                "{{service}} {{status}}": (
                    f'sum by (service, status) (rate(orderloom_http_requests_total{{{CHOSEN}, status=~"4.."}}[5m]))'
                )
            },
            "401 behind the gateway says that keys are not known: OrderloomTokensRefused.",
            unit="reqps",
        ),
        Panel(
            "Slowest routes, 95th percentile",
            {
                "{{service}} {{method}} {{route}}": (
                    f"topk(10, {_quantile(0.95, 'orderloom_http_request_seconds', 'service, method, route', CHOSEN)})"
                )
            },
            "Over a second somebody is told: OrderloomRequestsSlow.",
            unit="s",
            width=12,
        ),
        Panel(
            "Database",
            {
                "{{service}}": f"max by (service) (orderloom_database_bytes{{{CHOSEN}}})",
                "{{service}} room": f"max by (service) (orderloom_database_bytes_max{{{CHOSEN}}}) > 0",
            },
            "Threads stay for ever; outbox and inbox are cleaned.",
            unit="bytes",
            width=12,
        ),
        Panel(
            "Refused by PostgreSQL, a minute",
            {"{{sqlstate}}": "sum by (sqlstate) (increase(orderloom_database_failures_total[1m])) > 0"},
            "40001 and 55P03 are tried again; 53xxx and 25006 call somebody (OrderloomDatabaseRefuses).",
        ),
        Panel(
            "Ready",
            {"{{service}} {{part}}": f"min by (service, part) (orderloom_ready{{{CHOSEN}}})"},
            "What /readyz said when it was last asked: 0 where any process lacks it.",
        ),
        Panel(
            "Releases",
            {"{{version}}": "count by (version) (orderloom_build_info)"},
            "Processes of each. Two for as long as a roll-out takes, never three.",
        ),
    ),
)

DASHBOARDS = (BUSINESS, FLOW, RESOURCES)
