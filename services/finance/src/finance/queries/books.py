"""Whether the books are right: documents, instalments and ledger, each computed again from the others."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

DEFECTS_MAX = 100
"""Of each kind: whoever finds more has to start with these anyway."""


@dataclass(frozen=True)
class Defect:
    """Something that is not as it follows from the rest."""

    rule: str
    about: str
    """An id, and what of it."""
    expected: str
    found: str


async def check_books(session: AsyncSession) -> list[Defect]:
    """Everything that is wrong; nothing, when the books are right."""
    defects = []
    for rule, statement in CHECKS.items():
        rows = await session.execute(text(f"{statement} LIMIT :defects_max"), {"defects_max": DEFECTS_MAX})
        defects += [Defect(rule, about, str(expected), str(found)) for about, expected, found in rows]
    return defects


LEDGER_FOLLOWS_FROM_THE_DOCUMENTS = """
    WITH billed AS (
        SELECT order_id, sum(net_amount) AS net, sum(tax_amount) AS tax FROM invoices GROUP BY order_id
    ), allocated AS (
        SELECT order_id, sum(amount) AS amount FROM allocations GROUP BY order_id
    ), kept AS (
        SELECT receipts.order_id, sum(total_amount) - coalesce(sum(used.amount), 0) AS amount
        FROM receipts LEFT JOIN (
            SELECT receipt_id, sum(amount) AS amount FROM allocations GROUP BY receipt_id
        ) AS used USING (receipt_id)
        GROUP BY receipts.order_id
    ), amounts AS (
        SELECT accounts.order_id, accounts.net_amount AS net, accepted_on IS NOT NULL AS is_accepted,
            coalesce(billed.net, 0) AS billed_net, coalesce(billed.tax, 0) AS billed_tax,
            coalesce(allocated.amount, 0) AS allocated, coalesce(kept.amount, 0) AS kept
        FROM accounts LEFT JOIN billed USING (order_id) LEFT JOIN allocated USING (order_id)
            LEFT JOIN kept USING (order_id)
    ), expected AS (
        SELECT order_id, balance.* FROM amounts, LATERAL (VALUES
            ('bank', allocated + kept),
            ('receivable', billed_net + billed_tax - allocated),
            ('client_credit', -kept),
            ('vat_payable', -billed_tax),
            ('contract_liability', CASE WHEN is_accepted THEN 0 ELSE -billed_net END),
            ('contract_asset', CASE WHEN is_accepted THEN net - billed_net ELSE 0 END),
            ('revenue', CASE WHEN is_accepted THEN -net ELSE 0 END)
        ) AS balance (account, amount)
    ), posted AS (
        SELECT order_id, account, sum(debit) - sum(credit) AS amount
        FROM ledger_entries JOIN ledger_lines USING (entry_id) GROUP BY order_id, account
    )
    SELECT order_id || ' ' || account, coalesce(expected.amount, 0), coalesce(posted.amount, 0)
    FROM expected FULL JOIN posted USING (order_id, account)
    WHERE coalesce(expected.amount, 0) <> coalesce(posted.amount, 0)
"""

CHECKS = {
    "every entry balances": """
        SELECT entry_id || ' ' || currency, total, coalesce(sum(debit), 0) || ' / ' || coalesce(sum(credit), 0)
        FROM ledger_entries LEFT JOIN ledger_lines USING (entry_id) GROUP BY entry_id
        HAVING coalesce(sum(debit), 0) <> total OR coalesce(sum(credit), 0) <> total
    """,
    "the ledger is what the documents say": LEDGER_FOLLOWS_FROM_THE_DOCUMENTS,
    "instalments are the price of their order": """
        SELECT account_id || ' ' || accounts.currency, accounts.net_amount || ' + ' || accounts.tax_amount,
            sum(part.net_amount) || ' + ' || sum(part.tax_amount)
        FROM accounts LEFT JOIN instalments AS part USING (account_id) GROUP BY account_id
        HAVING (accounts.net_amount, accounts.tax_amount)
            IS DISTINCT FROM (sum(part.net_amount), sum(part.tax_amount))
    """,
    "tax rates add up to their instalment": """
        SELECT instalment_id || ' ' || currency, net_amount || ' + ' || tax_amount, shares.net || ' + ' || shares.tax
        FROM instalments, LATERAL (
            SELECT coalesce(sum((share->>'net')::numeric), 0) AS net, coalesce(sum((share->>'tax')::numeric), 0) AS tax
            FROM jsonb_array_elements(by_rate) AS share
        ) AS shares
        WHERE (net_amount, tax_amount) <> (shares.net, shares.tax)
    """,
    "an invoice is its instalments": """
        SELECT number, invoices.net_amount || ' + ' || invoices.tax_amount,
            sum(part.net_amount) || ' + ' || sum(part.tax_amount)
        FROM invoices LEFT JOIN instalments AS part USING (invoice_id) GROUP BY invoice_id
        HAVING (invoices.net_amount, invoices.tax_amount)
            IS DISTINCT FROM (sum(part.net_amount), sum(part.tax_amount))
    """,
    "what is paid of an instalment was allocated to it": """
        SELECT instalment_id || ' ' || currency, coalesce(allocated.amount, 0), paid_amount
        FROM instalments LEFT JOIN (
            SELECT instalment_id, sum(amount) AS amount FROM allocations GROUP BY instalment_id
        ) AS allocated USING (instalment_id)
        WHERE paid_amount <> coalesce(allocated.amount, 0)
    """,
    "an instalment's status is what its amounts say": """
        SELECT instalment_id::text, allowed, status
        FROM (
            SELECT *, CASE
                WHEN invoice_id IS NOT NULL AND paid_amount < net_amount + tax_amount THEN 'invoiced'
                WHEN invoice_id IS NOT NULL THEN 'paid'
                WHEN net_amount + tax_amount = 0 THEN 'planned, paid or cancelled'
                ELSE 'planned, due or cancelled' END AS allowed
            FROM instalments
        ) AS judged
        WHERE position(status IN allowed) = 0
    """,
    "an account is settled when everything of it is paid": """
        SELECT account_id::text, bool_and(status = 'paid'), settled_on IS NOT NULL
        FROM accounts JOIN instalments USING (account_id) GROUP BY account_id
        HAVING bool_and(status = 'paid') <> (settled_on IS NOT NULL)
    """,
    "no receipt is allocated beyond its amount": """
        SELECT receipt_id || ' ' || receipts.currency, total_amount, sum(amount)
        FROM receipts JOIN allocations USING (receipt_id) GROUP BY receipt_id HAVING sum(amount) > total_amount
    """,
    "invoice numbers have no gap": """
        SELECT year::text, last_number, count(number)
        FROM invoice_series FULL JOIN invoices ON split_part(number, '-', 2)::integer = year
        GROUP BY year, last_number
        HAVING count(number) IS DISTINCT FROM last_number
            OR max(split_part(number, '-', 3)::integer) IS DISTINCT FROM last_number
    """,
}
"""By the rule that they check: statements of (about, expected, found), one row for each defect."""
