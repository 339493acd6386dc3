"""
Runbooks of the alerts about the catalogue.
"""

from conexxus_sync.model.alerts import AlertName

from ._runbook import Runbook, Step


CATALOGUE: dict[str, Runbook] = {
    AlertName.CATALOG_REFUSED: Runbook(
        title="A suspicious catalogue was refused",
        meaning=(
            "The back office sent a catalogue that would change too much at once: too many items "
            "gone, too many other prices, or too many that can't be used. It was not applied; "
            "the tills go on with the prices they have."
        ),
        causes=(
            "An export at the back office failed half-way.",
            "A large price change, or a clear-out, that is meant.",
            "The store is asked for another location's catalogue.",
        ),
        steps=(
            Step("See what was seen and what the limit is:", "conexxus runs --kind inventory"),
            Step(
                "See what would change, prices old and new; it changes nothing:",
                "conexxus pull --plan",
            ),
            Step(
                "If it is wrong, have the back office corrected: the next pull then goes "
                "through by itself."
            ),
            Step(
                "If it is right, apply exactly what you have looked at; RUN is the id that "
                "the plan printed:",
                "conexxus pull --accept RUN",
            ),
        ),
        clears="A catalogue was applied.",
    ),
    AlertName.SYNC_FAILED: Runbook(
        title="The last pull failed",
        meaning=(
            "The catalogue could not be read, or not be stored. It is as it was, complete; the "
            "next pull, within the hour, tries again."
        ),
        causes=(
            "The back office was down or slow for a moment.",
            "Its answer broke off, or was not what it should be.",
            "The host's own storage refused the changes.",
        ),
        steps=(
            Step("See what went wrong, and how often:", "conexxus runs --kind inventory --limit 5"),
            Step("See whether the back office can be reached:", "conexxus doctor"),
            Step("Try again now:", "conexxus pull"),
        ),
        clears="A pull goes through.",
    ),
    AlertName.SYNC_STALE: Runbook(
        title="No pull for two hours",
        meaning=(
            "The catalogue is pulled every hour, and was not for two. Prices at the till may be "
            "older than those of the back office."
        ),
        causes=(
            "`conexxus run` is not running.",
            "A pull hangs, or another program holds the lease.",
            "The computer was asleep.",
        ),
        steps=(
            Step("See when the last pull was, and whether one is in progress:", "conexxus status"),
            Step("See whether the service runs:", "systemctl status conexxus"),
            Step("Pull now; exit code 6 means that one is in progress:", "conexxus pull"),
        ),
        clears="A pull ends, well or not.",
    ),
    AlertName.ITEMS_SET_ASIDE: Runbook(
        title="Items were set aside",
        meaning=(
            "The last catalogue had items that can't be used, for instance without a price. "
            "They did not stop the others; each keeps its last good version, and a new one is "
            "not known to the tills."
        ),
        causes=(
            "The item has no SKU, no name, or a price that is no price.",
            "Two items have the same SKU and differ.",
        ),
        steps=(
            Step("See which, and why:", "conexxus quarantine list"),
            Step("Look at one as it came:", "conexxus quarantine show SKU"),
            Step("Have it corrected at the back office: the next pull takes it by itself."),
            Step(
                "If the till needs it sooner, write it as it should be into a file and take that:",
                "conexxus quarantine replay SKU --item corrected.json",
            ),
        ),
        clears="The next catalogue has no bad items.",
    ),
    AlertName.CHANGES_PENDING: Runbook(
        title="Changes wait for the host",
        meaning=(
            "The catalogue is up to date here, but the point of sale has not taken all of its "
            "changes yet: its tills may show old prices. They are kept, in order."
        ),
        causes=(
            "The host's storage raised an error, or its database was locked.",
            "The last pulls ran without the option `--catalog`.",
        ),
        steps=(
            Step("See what the host said:", "conexxus runs --kind inventory --limit 5"),
            Step(
                "Pull with the host's storage: what waits is delivered first, in order.",
                "conexxus pull --catalog CATALOG",
            ),
            Step(
                "If the host lost its data, hand everything to it again:",
                "conexxus pull --reapply --catalog CATALOG",
            ),
        ),
        clears="The host has taken all changes.",
    ),
}
