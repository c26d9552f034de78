"""Chinese as written in mainland China. Clients are addressed with 您, people of the company with 你."""

from datetime import date

from notify.texts.text import Language, Text

FACTS = {
    "order.approved": "订单获批",
    "stage_tasks_finished": "全部任务完成",
    "inspection.passed": "检验合格",
    "delivery.submitted": "提交交付",
    "delivery.accepted": "客户签收",
}
FOOT = """
订单 {{ order_no }}：{{ title }}
{{ link }}
"""


def day(value: date) -> str:
    return f"{value.year} 年 {value.month} 月 {value.day} 日（周{'一二三四五六日'[value.weekday()]}）"


def named(name: str) -> str:
    """A name among Chinese words: one in Latin letters has a space on either side."""
    before, after = ("" if "\u2e80" <= edge <= "\uffef" else " " for edge in (name[:1], name[-1:]))
    return before + name + after


TASKS = (
    "{% for task in tasks %}\n- {{ task.name|label }}，"
    "{{ task.planned_start|day }}至 {{ task.planned_finish|day }}{% endfor %}"
)

STAFF: dict[str, Text] = {
    "order.placed": Text(
        subject="等你处理：审批订单 {{ order_no }} {{ title }}",
        happened="{{ requester|named }}为{{ client|named }}提交了订单，总额 {{ total|money(currency) }}"
        "{% if revision > 1 %}；修改后重新提交（第 {{ revision }} 版）{% endif %}。",
        then="打开订单，批准或否决。",
    ),
    "approval.decided:next": Text(
        subject="等你处理：审批订单 {{ order_no }} {{ title }}",
        happened="{{ by|named }}已批准{{ client|named }}的订单的第 {{ step }} 步"
        "{% if comment %}：{{ comment }}{% else %}。{% endif %}",
        then="下一步由你审批。打开订单，批准或否决。",
    ),
    "approval.decided:requester": Text(
        subject="订单 {{ order_no }} 第 {{ step }} 步已{{ '批准' if is_approved else '否决' }}",
        happened="{{ by|named }}{{ '批准' if is_approved else '否决' }}了你的订单的第 {{ step }} 步"
        "{% if comment %}：{{ comment }}{% else %}。{% endif %}",
        then="打开订单，查看全部审批记录。",
    ),
    "order.approved": Text(
        subject="订单 {{ order_no }} 已批准",
        happened="你为{{ client|named }}提交的订单已于 {{ approved_on|day }}批准，项目开始。",
        then="任务分配后，打开订单即可查看计划。",
    ),
    "order.rejected": Text(
        subject="订单 {{ order_no }} 在第 {{ step }} 步被否决",
        happened="{{ by|named }}否决了你为{{ client|named }}提交的订单：{{ reason }}",
        then="可以修改后重新提交，也可以保留现状。",
    ),
    "order.stage_advanced": Text(
        subject="订单 {{ order_no }} 进入{{ stage|label }}",
        happened="订单从{{ before|label }}进入{{ stage|label }}。"
        "{% if waiting_for %}本阶段还缺：{{ waiting_for|facts }}。{% endif %}",
        then="打开订单，查看本阶段由你处理的事项。",
    ),
    "order.held": Text(
        subject="订单 {{ order_no }} 已暂停",
        happened="{{ by|named }}暂停了{{ client|named }}的订单：{{ reason }}",
        then="恢复之前不开始新任务，不开新发票；进行中的任务可以完成。",
    ),
    "order.resumed": Text(
        subject="订单 {{ order_no }} 已恢复",
        happened="{{ by|named }}恢复了{{ client|named }}的订单{% if reason %}：{{ reason }}{% else %}。{% endif %}",
        then="可以继续开始任务、开具发票。",
    ),
    "order.cancelled": Text(
        subject="订单 {{ order_no }} 已取消",
        happened="{{ by|named }}取消了{{ client|named }}的订单：{{ reason }}",
        then="未完成的任务和未开票的款项随之取消。",
    ),
    "order.closed": Text(
        subject="订单 {{ order_no }} 已结清",
        happened="{{ client|named }}的订单已验收并全额付款，于 {{ closed_on|day }}结清。",
        then="没有待办事项。订单及其记录可随时查看。",
    ),
    "project.created": Text(
        subject="订单 {{ order_no }}：你有 {{ tasks|length }} 项任务",
        happened="{{ client|named }}的项目已开始。你的任务：" + TASKS,
        then="打开订单，查看每项任务的前置任务，轮到时开始。",
    ),
    "project.created:manager": Text(
        subject="订单 {{ order_no }}：由你负责项目，{{ planned_start|day }}至 {{ planned_finish|day }}",
        happened="{{ client|named }}的项目已开始，共 {{ tasks_count }} 项任务，计划 "
        "{{ planned_start|day }}至 {{ planned_finish|day }}。"
        "{% if tasks %}你自己的任务：" + TASKS + "{% endif %}",
        then="打开订单查看计划，需要时改派任务。",
    ),
    "task.blocked": Text(
        subject="订单 {{ order_no }}：{{ task|label }}受阻",
        happened="{{ by|named }}无法继续{{ task|label }}：{{ reason }}",
        then="排除障碍，或改派任务。",
    ),
    "task.reassigned:to": Text(
        subject="订单 {{ order_no }}：{{ task|label }}改由你负责",
        happened="{{ task|label }}{% if from_name %}由{{ from_name|named }}{% endif %}改派给你：{{ reason }}",
        then="打开订单，查看计划日期和前置任务。",
    ),
    "task.reassigned:from": Text(
        subject="订单 {{ order_no }}：{{ task|label }}不再由你负责",
        happened="{{ task|label }}已由你改派给{{ to_name|named }}：{{ reason }}",
        then="把已有的成果交接给{{ to_name|named }}。",
    ),
    "task.overdue": Text(
        subject="订单 {{ order_no }}：{{ task|label }}已逾期",
        happened="{{ task|label }}计划于 {{ planned_finish|day }}完成。",
        then="完成任务；如有障碍，标记受阻并说明原因。",
    ),
    "task.overdue:higher": Text(
        subject="订单 {{ order_no }}：{{ task|label }}已逾期，第 {{ level }} 级",
        happened="{{ task|label }}{% if assignee %}（{{ assignee }}）{% endif %}计划于 "
        "{{ planned_finish|day }}完成，至今未完成。",
        then="了解障碍所在，或改派任务。",
    ),
    "inspection.recorded": Text(
        subject="订单 {{ order_no }}：检验不合格，{{ task|label }}",
        happened="{{ by|named }}记录了检验不合格（{{ task|label }}）{% if note %}：{{ note }}{% else %}。{% endif %}",
        then="决定如何返工。最近一次检验合格后，本阶段才能结束。",
    ),
    "milestone.reached": Text(
        subject="订单 {{ order_no }}：{{ milestone|label }}",
        happened="里程碑“{{ milestone|label }}”已于 {{ reached_on|day }}达成。",
        then="打开订单，查看由此到期的款项和后续工作。",
    ),
    "delivery.accepted": Text(
        subject="订单 {{ order_no }}：客户已签收",
        happened="{{ client|named }}已于 {{ accepted_on|day }}签收{% if note %}：{{ note }}{% else %}。{% endif %}",
        then="验收款可以开票。",
    ),
    "project.cancelled": Text(
        subject="订单 {{ order_no }} 已取消：停止你的任务",
        happened="{{ client|named }}的项目已取消。你的以下任务到此为止：{{ names|map('label')|listed }}。",
        then="停止这些工作。",
    ),
    "instalments.planned": Text(
        subject="订单 {{ order_no }}：{{ codes|listed }} 可以开票",
        happened="{{ client|named }}的订单已批准。款项 {{ codes|listed }} 现在到期："
        "{{ amount|money(currency) }}，订单总额 {{ total|money(currency) }}。",
        then="打开订单开具发票。",
    ),
    "instalment.due": Text(
        subject="订单 {{ order_no }}：{{ code }} 可以开票",
        happened="{{ client|named }}的订单，款项 {{ code }} 已于 {{ due_date|day }}到期"
        "{% if amount %}：{{ amount|money(currency) }}{% endif %}。",
        then="打开订单开具发票。",
    ),
    "receipt.recorded": Text(
        subject="订单 {{ order_no }}：到账 {{ amount|money(currency) }}",
        happened="{{ client|named }}于 {{ received_on|day }}付款 {{ amount|money(currency) }}。"
        "{% if is_over %}其中 {{ unallocated|money(currency) }} 未分配，记为客户余额。{% endif %}",
        then="打开订单，查看已付和未付的款项。",
    ),
    "instalments.cancelled": Text(
        subject="订单 {{ order_no }} 已取消：{{ cancelled_count }} 期款项不再开票",
        happened="{{ client|named }}的订单已取消，{{ cancelled_count }} 期未开票的款项随之取消。"
        "{% if invoices %}已开发票：{{ invoices|listed }}。{% endif %}",
        then="{% if invoices %}已开票部分需要红冲。{% else %}没有需要红冲的发票。{% endif %}",
    ),
}

CLIENT: dict[str, Text] = {
    "order.approved": Text(
        subject="您的订单 {{ order_no }} 已确认",
        happened="您的订单已于 {{ approved_on|day }}确认，工作开始。",
        then="打开订单即可查看进度。",
    ),
    "order.held": Text(
        subject="您的订单 {{ order_no }} 已暂停",
        happened="您的订单暂停执行。",
        then="打开订单查看当前状态；恢复时会通知您。",
    ),
    "order.resumed": Text(
        subject="您的订单 {{ order_no }} 已恢复",
        happened="您的订单恢复执行。",
        then="打开订单即可查看进度。",
    ),
    "order.cancelled": Text(
        subject="您的订单 {{ order_no }} 已取消",
        happened="您的订单已取消，不再继续执行。",
        then="打开订单查看已完成的部分；如有未尽事宜，可与我们联系。",
    ),
    "order.closed": Text(
        subject="您的订单 {{ order_no }} 已结清",
        happened="您的订单已验收并全额付款，于 {{ closed_on|day }}结清。",
        then="没有待办事项。文件和记录可随时在门户查看。",
    ),
    "delivery.submitted": Text(
        subject="等您处理：签收订单 {{ order_no }}",
        happened="您订购的全部内容已于 {{ submitted_on|day }}交付。",
        then="核对收到的内容，然后打开订单签收。",
    ),
    "invoice.issued": Text(
        subject="订单 {{ order_no }} 的发票 {{ number }}：{{ total|money(currency) }}",
        happened="{{ issued_on|day }}的发票 {{ number }}，金额 {{ total|money(currency) }}，"
        "其中税额 {{ tax|money(currency) }}。",
        then="付款期限：{{ payable_by|day }}。发票见订单页。",
    ),
}


def together(count: int, first: str) -> str:
    return f"{count} 条通知：{first}"


CHINESE = Language(
    locale="zh-CN",
    staff=STAFF,
    client=CLIENT,
    foot=FOOT,
    facts=FACTS,
    comma="、",
    day=day,
    named=named,
    together=together,
)
