"""
Notifications by webhook: alerts that start and end, and a daily report.

Start with `NoticeMonitor`.
"""

from typing import TYPE_CHECKING

from conexxus_client.lazy_names import lazy_names


if TYPE_CHECKING:
    from conexxus_sync.model.notices import ActiveAlert, Event, Notice, QueuedNotice, SentReport

    from ._background import notify_in_background, notify_once
    from ._monitor import NoticeMonitor
    from ._sender import LATELY, Sender, trial_notice
    from ._webhook import Answer, Webhook, open_webhook
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".model.notices": "ActiveAlert Event Notice QueuedNotice SentReport",
            "_background": "notify_in_background notify_once",
            "_monitor": "NoticeMonitor",
            "_sender": "LATELY Sender trial_notice",
            "_webhook": "Answer Webhook open_webhook",
        },
    )

__all__ = [
    "LATELY",
    "ActiveAlert",
    "Answer",
    "Event",
    "Notice",
    "NoticeMonitor",
    "QueuedNotice",
    "Sender",
    "SentReport",
    "Webhook",
    "notify_in_background",
    "notify_once",
    "open_webhook",
    "trial_notice",
]
