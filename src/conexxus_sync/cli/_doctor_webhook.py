"""
`conexxus doctor` on the webhook: is anybody told when something goes wrong?
"""

from conexxus_client import ClientConfig, ConexxusError
from conexxus_sync._clock import SystemClock
from conexxus_sync._phrases import counted
from conexxus_sync.config import SyncConfig
from conexxus_sync.notices import open_webhook, trial
from conexxus_sync.stores import open_store

from ._finding import Finding, Level, broken, wrong
from ._words import moment


_MISSING = "CONEXXUS_ALERT_WEBHOOK is not set"


def webhook_of(config: SyncConfig) -> Finding:
    """
    Whether there is one, and whether it takes what it is given.
    """
    if config.alert_webhook is None:
        return Finding(
            check="webhook", message=f"{_MISSING}: nobody is told when something goes wrong"
        )

    try:
        number, since = open_store(config.store).notices.waiting(config.location_id)
    except ConexxusError as exc:
        return broken("webhook", str(exc))

    if not number:
        said = "set, not shown; to try it: conexxus doctor --webhook"
        return Finding(check="webhook", message=said)

    waiting = f"{counted(number, 'notice')} not taken yet, the oldest since"

    return Finding(
        check="webhook",
        level=Level.WARNING,
        message=f"{waiting} {moment(since, config.timezone)}: is `conexxus run` running?",
    )


def tested_webhook(config: SyncConfig, like: ClientConfig | None) -> Finding:
    """
    Whether it takes a notice now.

    Args:
        like: What the client's settings say of the proxy holds here, too.
    """
    if config.alert_webhook is None:
        return wrong("webhook", _MISSING)

    notice = trial(config.location_id, SystemClock().now())

    with open_webhook(config.alert_webhook, like) as webhook:
        answer = webhook.post(notice.body(), name=notice.id)

    if not answer.taken:
        return broken("webhook", f"it did not take the test notice: {answer.said}")

    return Finding(check="webhook", message=f"it took the test notice: {answer.said}")
