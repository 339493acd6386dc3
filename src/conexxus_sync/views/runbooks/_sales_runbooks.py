"""
Runbooks of the alerts about sales.
"""

from conexxus_sync.model.alerts import AlertName

from ._runbook import Runbook, Step


SALES: dict[str, Runbook] = {
    AlertName.DATE_OVERDUE: Runbook(
        title="A day's sales are late",
        meaning=(
            "The sales of a business date should have been at the back office an hour ago, and "
            "are not, or not all of them. They are not lost: they are kept, and tried again, or "
            "wait for your word."
        ),
        causes=(
            "`conexxus run` was not running at the push time.",
            "The back office can't be reached, or refuses the key.",
            "The point of sale's orders can't be read.",
            "A batch waits for somebody to decide.",
        ),
        steps=(
            Step("See the other alerts: one of them often says why.", "conexxus status"),
            Step("See which dates are late, and what waits:", "conexxus outbox dates"),
            Step("See whether settings, back office and clock are right:", "conexxus doctor"),
            Step("Push what is due now:", "conexxus push --orders ORDERS"),
        ),
        clears="Each date was pushed, with nothing left over.",
    ),
    AlertName.ORDERS_HANG: Runbook(
        title="The order source hangs",
        meaning=(
            "The point of sale's order source was asked for the sales of a date, and has not "
            "returned for five minutes. No sales are pushed until it does; none is lost."
        ),
        causes=(
            "The table of orders is locked by something else.",
            "The order source waits for a network that has no time limit.",
            "A query of the order source is slow, because an index is missing.",
        ),
        steps=(
            Step("See which source, which date, and since when:", "conexxus status"),
            Step("Look at what the source waits for, and end that."),
            Step(
                "If it stays as it is, restart the process; the push begins anew:",
                "conexxus run --orders ORDERS",
            ),
        ),
        clears="The order source has returned, or raised.",
    ),
    AlertName.SALES_PARKED: Runbook(
        title="Sales wait for your word",
        meaning=(
            "Sales were sent, and nobody knows whether the back office has them. Sent again, "
            "they could be booked twice, so they are not: they wait until you have asked. All "
            "other sales go on."
        ),
        causes=(
            "The answer got lost, and the back office does not recognise what is sent twice.",
            "The back office could not be reached for longer than it remembers a key.",
            "The back office answered something that contradicts itself.",
        ),
        steps=(
            Step("See which batches: their state says `parked`.", "conexxus outbox list"),
            Step(
                "See the sales of one, and ask the back office whether it has them:",
                "conexxus outbox show KEY",
            ),
            Step("If it has all of them:", "conexxus outbox resolve KEY --delivered"),
            Step(
                "If it has none of them, say so; the next push sends them in a new batch:",
                "conexxus outbox resolve KEY --not-delivered",
            ),
            Step(
                "If it is sure to recognise them, send them again as they are:",
                "conexxus outbox resend KEY",
            ),
        ),
        clears="Each of them was settled by you.",
    ),
    AlertName.DELIVERY_UNKNOWN: Runbook(
        title="It is not known whether sales arrived",
        meaning=(
            "Sales were sent, and the answer got lost: the back office has them or not. The "
            "next push sends them again under the same key, which books them once; where that "
            "would not be safe, it lets them wait for you, and another alert says so."
        ),
        causes=(
            "The connection broke after the sales had left.",
            "The back office answered 5xx.",
            "The computer lost power while it was sending.",
        ),
        steps=(
            Step("See which batches, and what was last answered:", "conexxus outbox list"),
            Step("See whether the back office can be reached:", "conexxus doctor"),
            Step("Push again: the answer settles it.", "conexxus push --orders ORDERS"),
        ),
        clears="Each batch was acknowledged, or waits for your word.",
    ),
    AlertName.PUSH_FAILED: Runbook(
        title="The last push failed",
        meaning=(
            "Sales could not be delivered. They are kept, and tried again by themselves, ever "
            "less often."
        ),
        causes=(
            "The API key is wrong or blocked.",
            "The back office is down.",
            "The point of sale's orders can't be read.",
            "The back office refuses all of the day's sales.",
            "403 or 404: no permission, a wrong path, or a firewall that refuses a text.",
        ),
        steps=(
            Step("See what went wrong:", "conexxus runs --kind sales --limit 5"),
            Step("See whether the back office can be reached with this key:", "conexxus doctor"),
            Step("Try again now:", "conexxus push --orders ORDERS"),
        ),
        clears=(
            "A push goes through, or that date was looked at again, and nothing of it waits or "
            "is set aside."
        ),
    ),
    AlertName.CLOCK_DOUBTED: Runbook(
        title="The computer's clock can't be right",
        meaning=(
            "It shows a time before the last run, or before this version was released. Nobody "
            "can say which business date it is, so no sales are pushed by themselves."
        ),
        causes=(
            "The battery of the computer's clock is empty.",
            "It is not set by the network.",
            "The clock was ahead before, and was set right.",
        ),
        steps=(
            Step("See what the clock shows, and what speaks against it:", "conexxus doctor"),
            Step("Let the network set it:", "timedatectl set-ntp true"),
            Step(
                "If it was ahead before and is right now, say so once; this also pushes what "
                "is due:",
                "conexxus push --orders ORDERS",
            ),
            Step(
                "If it can't be set now, push the date by name:",
                "conexxus push --orders ORDERS --date DATE",
            ),
        ),
        clears="The clock shows a time that can be true.",
    ),
    AlertName.MISCONFIGURED: Runbook(
        title="Sales can't be pushed as configured",
        meaning=(
            "A setting without which no business date can be told is missing, or the profile of "
            "the back office is another than before. No sales are pushed until it is set; they "
            "are not lost."
        ),
        causes=(
            "`CONEXXUS_TIMEZONE` is not set, and this machine is set to UTC, as containers are.",
            "The service has another profile or another address than in its pushes so far.",
        ),
        steps=(
            Step("See which setting:", "conexxus doctor"),
            Step("See which parts of the profile differ:", "conexxus profile show"),
            Step(
                "Set it where the service has its settings, for instance "
                "`CONEXXUS_TIMEZONE=America/New_York`, and restart the service:",
                "systemctl restart conexxus",
            ),
        ),
        clears="The setting is there, and the service was restarted.",
    ),
    AlertName.CHANGES_REFUSED: Runbook(
        title="Changes of delivered sales were refused",
        meaning=(
            "Changes of delivered sales are corrected at the back office, but so many sales of "
            "a date changed or disappeared at once that the order source is more likely to be "
            "wrong. Nothing of the date was taken back; new sales are sent as ever."
        ),
        causes=(
            "The order source could not read all sales, and yielded only some, or none.",
            "The till's database was emptied, or restored from a backup.",
            "Sales of a whole date were moved or corrected at the till.",
        ),
        steps=(
            Step("See by how much the dates differ:", "conexxus outbox dates --orders ORDERS"),
            Step("See which sales:", "conexxus runs --kind sales --json"),
            Step(
                "If the order source is wrong, mend it, and push the date again:",
                "conexxus push --orders ORDERS --date DATE",
            ),
            Step(
                "If it is right, take back and send again what changed:",
                "conexxus push --orders ORDERS --date DATE --accept-changes",
            ),
        ),
        clears="The date was pushed, and little of it differs, or the changes were accepted.",
    ),
    AlertName.DISCREPANCY: Runbook(
        title="A delivered sale was changed",
        meaning=(
            "A sale that the back office has is different at the till now, or gone. The back "
            "office still has the old one: its figures and the till's differ."
        ),
        causes=(
            "Somebody corrected or deleted a sale after it was sent.",
            "The till's database was restored from a backup.",
        ),
        steps=(
            Step("See which sales:", "conexxus runs --kind sales --json"),
            Step("See what became of one of them:", "conexxus why TRANSACTION"),
            Step("See by how much the dates differ:", "conexxus outbox dates --orders ORDERS"),
            Step(
                "Correct it where it is wrong: undo the change at the till, or have the back "
                "office correct it."
            ),
            Step(
                "If both are right as they are, accept the difference:",
                "conexxus outbox accept-discrepancy TRANSACTION",
            ),
        ),
        clears="The till tells again what was delivered, or the difference was accepted.",
    ),
    AlertName.SALES_HELD: Runbook(
        title="Past sales are held back",
        meaning=(
            "This store's state is fresh, or was restored from a backup, and does not know "
            "whether sales of past dates were delivered. They are not sent unasked: a lost state "
            "must not send a year again. After a backup was restored, nothing is sent."
        ),
        causes=(
            "The integration is new, and `CONEXXUS_SALES_SINCE` names a date that has passed.",
            "The SDK's own state was lost, or `CONEXXUS_STORE` names another file.",
            "The SDK's own state was restored from a backup, as the file beside it shows.",
        ),
        steps=(
            Step("See from which date on:", "conexxus status"),
            Step(
                "If they were never delivered, push them:",
                "conexxus push --orders ORDERS --since DATE",
            ),
            Step(
                "If they were delivered already, up to a date, say so; it sends nothing:",
                "conexxus push --orders ORDERS --adopt-through DATE",
            ),
        ),
        clears="The dates were pushed, or taken for delivered.",
    ),
    AlertName.SALES_SILENT: Runbook(
        title="No sales for an unusual time",
        meaning=(
            "The order source returns, but has had no new sales for longer than usual here. If "
            "the shop is closed, all is well. If it is not, its sales do not reach the back office."
        ),
        causes=(
            "The shop is closed.",
            "The order source looks in the wrong place, or filters too much.",
            "The till no longer writes where the order source reads.",
        ),
        steps=(
            Step("See what till and back office have, date by date:", "conexxus outbox dates"),
            Step("Look whether the till has sales of the last days."),
            Step(
                "Once the order source has them, push a date that is missing:",
                "conexxus push --orders ORDERS --date DATE",
            ),
        ),
        clears="A sale was delivered.",
    ),
    AlertName.SALES_SET_ASIDE: Runbook(
        title="Sales were set aside",
        meaning=(
            "The back office refused some sales, or they can't be sent as they are. They do not "
            "hold up the others, but they are not at the back office."
        ),
        causes=(
            "A sale has an item or an amount that the back office does not accept.",
            "Two different sales have the same id.",
        ),
        steps=(
            Step("See which, and why:", "conexxus quarantine list"),
            Step("Look at one:", "conexxus quarantine show TRANSACTION"),
            Step(
                "Correct the sale at the till, or its item at the back office. Then let it go "
                "with the next push:",
                "conexxus quarantine replay TRANSACTION",
            ),
            Step("Or let all of a date go:", "conexxus quarantine replay --date DATE"),
            Step("Push:", "conexxus push --orders ORDERS --date DATE"),
            Step(
                "If a sale shall never be sent, like a test, dismiss it:",
                "conexxus quarantine dismiss TRANSACTION",
            ),
        ),
        clears="None is set aside any more, or all that are were dismissed.",
    ),
}
