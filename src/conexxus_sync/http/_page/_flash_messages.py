"""
Messages about a click, kept until the next page shows them.
"""

import secrets
import threading
from collections import OrderedDict

import attrs


MOST = 100


@attrs.frozen
class Note:
    """
    One sentence.

    Attributes:
        failed: Whether the click did not do what it was for.
    """

    text: str
    failed: bool = False


@attrs.define
class Notes:
    """
    The last of them, by names that can't be guessed, so that no address makes
    the page show a message.
    """

    _notes: OrderedDict[str, Note] = attrs.field(factory=OrderedDict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def keep(self, note: Note) -> str:
        """
        Remember *note* and return its name.
        """
        name = secrets.token_urlsafe(9)

        with self._lock:
            self._notes[name] = note
            while len(self._notes) > MOST:
                self._notes.popitem(last=False)

        return name

    def get(self, name: str) -> Note | None:
        """
        The note of this name, if it is still there.
        """
        with self._lock:
            return self._notes.get(name)
