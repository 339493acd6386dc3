"""
Runbooks of the alerts about the integration as a whole.
"""

from conexxus_sync.model.alerts import AlertName

from ._runbook import Runbook, Step


WHOLE: dict[str, Runbook] = {
    "ConexxusDown": Runbook(
        title="Conexxus does not answer",
        meaning=(
            "Nobody answers where the metrics should be: the program is not running, or can't be "
            "reached. While it is not running, prices do not change and sales are not sent. "
            "Nothing is lost: what is due is caught up when it runs again."
        ),
        causes=(
            "The service was stopped, or did not come back after a restart of the computer.",
            "The computer is off, or off the network.",
            "The program listens on another address than the one that is watched.",
        ),
        steps=(
            Step(
                "On the store's computer, see whether the service runs, and why not:",
                "systemctl status conexxus",
            ),
            Step("See what it said last:", "journalctl -u conexxus -n 50"),
            Step("Start it:", "systemctl restart conexxus"),
            Step("See that catalogue and sales are caught up:", "conexxus status"),
        ),
        clears="The metrics are read again.",
    ),
    AlertName.STORE_UNUSABLE: Runbook(
        title="The SDK's own state can't be used",
        meaning=(
            "The file or database that remembers the catalogue, and which sales were delivered, "
            "can't be read. Nothing is pulled and nothing is pushed until it can: a sale is "
            "never sent without having been written down first."
        ),
        causes=(
            "The disk is full.",
            "The file belongs to another user, or its folder is read-only.",
            "`CONEXXUS_STORE` names another file than before.",
            "The file is damaged, for instance after a power failure on a worn disk.",
        ),
        steps=(
            Step("See what is wrong; the line `store` says it:", "conexxus doctor"),
            Step("See whether the disk is full, and make room if it is:", "df -h ."),
            Step(
                "If it is damaged, stop the service and keep the file: do not delete it.",
                "systemctl stop conexxus",
            ),
            Step(
                "Restore it from a backup. A backup does not know what was delivered since, so "
                "tell it the last business date that the back office has:",
                "conexxus push --orders ORDERS --adopt-through DATE",
            ),
            Step("Start the service again:", "systemctl start conexxus"),
        ),
        clears="The store can be read again.",
    ),
    AlertName.API_DOWN: Runbook(
        title="The back office gives no good answer",
        meaning=(
            "The last call did not reach the back office, or was turned away, after all its "
            "retries. Prices stay as they are, and sales are kept and sent later; nothing is lost."
        ),
        causes=(
            "The store's internet connection is down.",
            "The back office is down, or being maintained.",
            "The API key was changed or blocked.",
            "A firewall, proxy or certificate changed.",
        ),
        steps=(
            Step("Ask the back office now; the message says what is wrong:", "conexxus doctor"),
            Step(
                "If it says that authentication failed, put the new key into "
                "`CONEXXUS_API_KEY` and restart the service:",
                "systemctl restart conexxus",
            ),
            Step(
                "If it can't be reached, see whether other sites can; if they can, call "
                "whoever runs the back office."
            ),
            Step(
                "When it is back, pull at once instead of waiting for the next hour:",
                "conexxus pull",
            ),
        ),
        clears="A call gets an answer again.",
    ),
    AlertName.ERROR_RATE: Runbook(
        title="Many items or sales failed",
        meaning=(
            "More than a tenth of what the last pull or push looked at was set aside. The rest "
            "went through; what was set aside does not: an item keeps its last good version, a "
            "sale is not at the back office."
        ),
        causes=(
            "The back office was changed, and exports items without a price or a name.",
            "The till's export changed, and its sales are refused.",
        ),
        steps=(
            Step("See what failed, and why:", "conexxus quarantine list"),
            Step("Look at one of them as it came:", "conexxus quarantine show KEY"),
            Step("See since when it is so:", "conexxus runs --limit 20"),
            Step(
                "Have it corrected where it comes from; then pull again, or let a sale go "
                "with the next push:",
                "conexxus pull",
            ),
        ),
        clears="A pull or push has at most a tenth of failures.",
    ),
    AlertName.NOT_CONFIGURED: Runbook(
        title="The integration is switched off",
        meaning=(
            "The address of the back office or the key is not set, so nothing is pulled and "
            "nothing is pushed. If that is meant, nothing is wrong."
        ),
        causes=(
            "`CONEXXUS_API_URL` or `CONEXXUS_API_KEY` is missing or empty.",
            "The service does not read the file with its settings.",
        ),
        steps=(
            Step("See which setting is missing:", "conexxus doctor"),
            Step(
                "Set it where the service has its settings, and restart it:",
                "systemctl restart conexxus",
            ),
        ),
        clears="Both are set, and the service was restarted.",
    ),
}
