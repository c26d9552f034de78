"""The words of the pages in both languages, and how amounts, dates and moments are written."""

import datetime as dt
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

Language = Literal["zh-CN", "en"]

SYMBOLS = {"CNY": "¥", "EUR": "€", "GBP": "£", "JPY": "JP¥", "USD": "US$"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

TEXTS: dict[str, tuple[str, str]] = {
    "orders": ("订单", "Orders"),
    "skip": ("跳到正文", "Skip to content"),
    "sign_in": ("登录", "Sign in"),
    "sign_out": ("退出", "Sign out"),
    "user": ("用户名或邮箱", "User or e-mail"),
    "password": ("密码", "Password"),
    "wrong": (
        "用户名和密码不匹配，请检查后重试。",
        "Name and password do not belong together. Check them and try again.",
    ),
    "too_many": ("失败次数过多，请 {seconds} 秒后再试。", "Too many failures. Try again in {seconds} seconds."),
    "expired": ("页面已过期，请重新登录。", "The page was too old. Sign in again."),
    "not_found": ("没有这个订单", "There is no such order"),
    "to_orders": ("查看订单", "See the orders"),
    "search": ("查找", "Search"),
    "next_page": ("下一页", "Next page"),
    "no_orders": ("这里还没有订单。", "There are no orders here yet."),
    "progress": ("进度", "Progress"),
    "dates": ("日期", "Dates"),
    "tasks": ("任务", "Tasks"),
    "milestones": ("里程碑", "Milestones"),
    "deliverables": ("交付物", "Deliverables"),
    "instalments": ("分期款", "Instalments"),
    "invoices": ("发票", "Invoices"),
    "timeline": ("动态", "Timeline"),
    "client": ("客户", "Client"),
    "contact": ("联系人", "Contact"),
    "status": ("状态", "Status"),
    "waiting_on_you": ("等您处理：验收交付", "Waiting on you: accept the delivery"),
    "waits_for": ("缺：", "Missing: "),
    "requested_date": ("要求日期", "Requested"),
    "approved_on": ("批准", "Approved"),
    "planned_start": ("计划开始", "Planned start"),
    "planned_finish": ("计划完成", "Planned finish"),
    "accepted_on": ("验收", "Accepted"),
    "closed_on": ("结案", "Closed"),
    "total": ("含税合计", "Total incl. VAT"),
    "task": ("任务", "Task"),
    "owner": ("负责人", "Owner"),
    "planned": ("计划", "Planned"),
    "due": ("到期", "Due"),
    "amount": ("含税金额", "Amount incl. VAT"),
    "number": ("号码", "Number"),
    "issued_on": ("开票日", "Issued"),
    "payable_by": ("付款期限", "Payable by"),
    "paid": ("已付", "Paid"),
    "reached": ("达成 {day}", "Reached {day}"),
    "planned_on": ("计划 {day}", "Planned {day}"),
    "version": ("第 {version} 版", "Version {version}"),
    "not_yet": ("尚未提交", "Not submitted yet"),
    "none_yet": ("暂无", "None yet"),
    "not_dated": ("尚未确定", "Not fixed yet"),
    "zone": ("{zone} 时间", "{zone} time"),
    "endpoints": ("接口", "Endpoints"),
    # of an order
    "submitted": ("待批准", "Submitted"),
    "approved": ("已批准", "Approved"),
    "rejected": ("未批准", "Rejected"),
    "on_hold": ("已暂停", "On hold"),
    "cancelled": ("已取消", "Cancelled"),
    "delivered": ("已交付", "Delivered"),
    "closed": ("已结案", "Closed"),
    # of a task
    "task.planned": ("未开始", "Planned"),
    "task.started": ("进行中", "Started"),
    "task.blocked": ("受阻", "Blocked"),
    "task.finished": ("已完成", "Finished"),
    "task.cancelled": ("已取消", "Cancelled"),
    # of an instalment
    "money.planned": ("未到期", "Not due yet"),
    "money.due": ("可开票", "To be invoiced"),
    "money.invoiced": ("已开票", "Invoiced"),
    "money.paid": ("已付清", "Paid"),
    "money.cancelled": ("已取消", "Cancelled"),
    # what a stage waits for
    "order.approved": ("订单批准", "approval of the order"),
    "stage_tasks_finished": ("本阶段任务完成", "the tasks of this stage"),
    "inspection.passed": ("检验合格", "a passed inspection"),
    "delivery.submitted": ("提交交付", "submission of the delivery"),
    "delivery.accepted": ("客户验收", "acceptance by the client"),
    # facts
    "order.placed.v1": ("订单已提交", "Order placed"),
    "approval.decided.v1": ("审批已决定", "Approval decided"),
    "order.approved.v1": ("订单已批准", "Order approved"),
    "order.rejected.v1": ("订单未批准", "Order rejected"),
    "order.stage_advanced.v1": ("进入下一阶段", "Next stage"),
    "order.held.v1": ("订单已暂停", "Order on hold"),
    "order.resumed.v1": ("订单已恢复", "Order resumed"),
    "order.cancelled.v1": ("订单已取消", "Order cancelled"),
    "order.closed.v1": ("订单已结案", "Order closed"),
    "project.created.v1": ("项目已计划", "Project planned"),
    "project.cancelled.v1": ("项目已取消", "Project cancelled"),
    "task.started.v1": ("任务已开始", "Task started"),
    "task.finished.v1": ("任务已完成", "Task finished"),
    "task.blocked.v1": ("任务受阻", "Task blocked"),
    "task.unblocked.v1": ("任务恢复", "Task unblocked"),
    "task.reassigned.v1": ("任务已改派", "Task reassigned"),
    "task.overdue.v1": ("任务逾期", "Task overdue"),
    "time.logged.v1": ("工时已登记", "Time logged"),
    "inspection.recorded.v1": ("检验已记录", "Inspection recorded"),
    "deliverable.submitted.v1": ("交付物已提交", "Deliverable submitted"),
    "milestone.reached.v1": ("里程碑达成", "Milestone reached"),
    "delivery.submitted.v1": ("交付已提交", "Delivery submitted"),
    "delivery.accepted.v1": ("客户已验收", "Delivery accepted"),
    "instalments.planned.v1": ("分期款已计划", "Instalments planned"),
    "instalment.due.v1": ("分期款可开票", "Instalment due"),
    "instalment.dated.v1": ("分期款日期已定", "Instalment dated"),
    "instalment.paid.v1": ("分期款已付清", "Instalment paid"),
    "invoice.issued.v1": ("发票已开", "Invoice issued"),
    "receipt.recorded.v1": ("款项已收到", "Payment received"),
    "account.settled.v1": ("款项已结清", "Account settled"),
    "instalments.cancelled.v1": ("分期款已取消", "Instalments cancelled"),
    "notice.given.v1": ("通知已发出", "Notices given"),
}
"""In Chinese and in English. What is not here, like a fact of a type that is new, is shown by its own name."""


class Words:
    """One language, and the company's zone and date of today."""

    def __init__(self, language: Language, *, zone: ZoneInfo, today: dt.date) -> None:
        self.language = language
        self.other_language: Language = "en" if language == "zh-CN" else "zh-CN"
        self._is_chinese = language == "zh-CN"
        self._zone = zone
        self._today = today

    def __call__(self, text: str, **values: object) -> str:
        chinese, english = TEXTS.get(text, (text, text))
        return (chinese if self._is_chinese else english).format(**values)

    def label(self, labels: "dict[str, str] | None", otherwise: str) -> str:
        """What is called in both languages, in this one."""
        return labels["zh" if self._is_chinese else "en"] if labels else otherwise

    def money(self, amount: "Decimal | str", currency: str) -> str:
        return f"{SYMBOLS.get(currency, f'{currency} ')}{Decimal(amount):,f}"

    def day(self, day: "dt.date | str | None") -> str:
        """With the year when it is not this one."""
        if day is None:
            return self("not_dated")
        day = dt.date.fromisoformat(day) if isinstance(day, str) else day
        has_year = day.year != self._today.year
        if self._is_chinese:
            return f"{day.year} 年 " * has_year + f"{day.month} 月 {day.day} 日"
        return f"{day.day} {MONTHS[day.month - 1]}" + f" {day.year}" * has_year

    def moment(self, time: str) -> str:
        """In the company's zone; as it came, if it is not a time."""
        try:
            instant = dt.datetime.fromisoformat(time).astimezone(self._zone)
        except ValueError:
            return time
        return f"{self.day(instant.date())}{' ' if self._is_chinese else ', '}{instant:%H:%M}"

    @property
    def zone(self) -> str:
        return self("zone", zone=str(self._zone))
