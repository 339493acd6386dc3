"""
Word to people who watch no dashboard: what is told, when, and how it is sent.

Start with `NoticeWatch`.
"""

from conexxus_sync.model.notices import Event, Notice, QueuedNotice, StandingAlert, ToldNight

from ._background import notice_now, noticing
from ._monitor import NoticeWatch
from ._sender import LATELY, Sender, trial
from ._webhook import Answer, Webhook, open_webhook


__all__ = [
    "LATELY",
    "Answer",
    "Event",
    "Notice",
    "NoticeWatch",
    "QueuedNotice",
    "Sender",
    "StandingAlert",
    "ToldNight",
    "Webhook",
    "notice_now",
    "noticing",
    "open_webhook",
    "trial",
]
