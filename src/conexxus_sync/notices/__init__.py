"""
Word to people who watch no dashboard: what is told, when, and how it is sent.

Start with `NoticeWatch`.
"""

from ._notice import Event, Notice, QueuedNotice, StandingAlert, ToldNight, trial
from ._sender import LATELY, Sender
from ._threads import notice_now, noticing
from ._watch import NoticeWatch
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
