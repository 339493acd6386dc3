"""
The checks of `conexxus doctor` that concern the webhook.
"""

from collections.abc import Iterator

from conexxus_client import ClientConfig, ConexxusError
from conexxus_sync.config import SyncConfig
from conexxus_sync.model.formatting import counted
from conexxus_sync.notifications import LATELY, open_webhook, trial_notice
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores import open_store

from ._check_result import CheckResult, Level, failure, misconfigured
from ._run_text import moment
from ._store_file import missing_store


_MISSING = "CONEXXUS_ALERT_WEBHOOK is not set"


def webhook_of(config: SyncConfig) -> CheckResult:
    """
    Whether there is one, and whether it takes what it is given.
    """
    if config.alert_webhook is None:
        return CheckResult(
            check="webhook", message=f"{_MISSING}: alerts and the daily report are sent nowhere"
        )

    try:
        troubles = list(_troubles(config))
    except ConexxusError as exc:
        return failure("webhook", str(exc))

    if not troubles:
        said = "set, not shown; to try it: conexxus doctor --webhook"
        return CheckResult(check="webhook", message=said)

    return CheckResult(check="webhook", level=Level.WARNING, message="; ".join(troubles))


def _troubles(config: SyncConfig) -> Iterator[str]:
    """
    What it did not take, lately and so far.
    """
    now = SystemClock().now()

    if missing_store(config) is not None:
        return
    with open_store(config.store).at(config.location_id).read() as state:
        given_up, why = state.notices.given_up(now - LATELY, now)
        waiting, since = state.notices.waiting()

    if given_up:
        yield (
            f"{counted(given_up, 'notice')} given up in the last {LATELY.days} days, "
            f"the last because {why}"
        )
    if waiting:
        yield (
            f"{counted(waiting, 'notice')} not taken yet, the oldest since "
            f"{moment(since, config.timezone)}: is `conexxus run` running?"
        )


def tested_webhook(config: SyncConfig, like: ClientConfig | None) -> CheckResult:
    """
    Whether it takes a notice now.

    Args:
        like: What the client's settings say of the proxy holds here, too.
    """
    if config.alert_webhook is None:
        return misconfigured("webhook", _MISSING)

    notice = trial_notice(config.location_id, SystemClock().now())

    with open_webhook(config.alert_webhook, like) as webhook:
        answer = webhook.post(notice.body(), name=notice.id)

    if not answer.accepted:
        return failure("webhook", f"it did not take the test notice: {answer.detail}")

    return CheckResult(check="webhook", message=f"it took the test notice: {answer.detail}")
