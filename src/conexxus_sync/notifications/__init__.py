"""
Notifications by webhook: alerts that start and end, and a daily report.

Start with `NoticeMonitor`.
"""

from conexxus_sync.model.notices import ActiveAlert, Event, Notice, QueuedNotice, SentReport

from ._background import notify_in_background, notify_once
from ._monitor import NoticeMonitor
from ._sender import LATELY, Sender, trial_notice
from ._webhook import Answer, Webhook, open_webhook


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
