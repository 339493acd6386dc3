"""
What an answer says of the transactions of a push: taken, duplicates, rejected, complaints.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from conexxus_client._codec._json import encode_decoded
from conexxus_client._codec._server_message import server_message, shortened
from conexxus_client.errors import EnvelopeError
from conexxus_client.models import RejectedTransaction


# Lists (or counts, or mappings by id) of what was not taken.
_REJECTING = (
    *("rejected", "errors", "failed", "failures", "invalid"),
    *("rejectedIds", "rejected_ids", "failedIds", "failed_ids"),
)
_REFUSED_COUNTS = (
    *("rejectedCount", "errorCount", "errorsCount", "failedCount", "failureCount"),
    *("rejected_count", "error_count", "failed_count"),
)
# Of these a text is an explanation, not an id.
_EXPLAINING = ("errors", "failures")
# Something is wrong, but these do not say that it was refused.
_COMPLAINING = ("error", "skipped", "ignored", "partial")
# Most answers have none of these, or an empty `rejected`.
_OBJECTING = frozenset({*_REJECTING, *_REFUSED_COUNTS, *_COMPLAINING, "status"})
_COUNTS = ("acceptedCount", "accepted_count", "succeeded")
_OTHER_COUNTS = ("processed", "received", "imported", "inserted", "created", "count")
_IDS = ("id", "transactionId", "transaction_id")

_GOOD = {"ok", "success", "succeeded", "accepted", "created", "processed", "imported", "200", "201"}
_KNOWN = {"duplicate", "alreadyexists", "exists", "alreadyprocessed", "known", "unchanged", "208"}
_BAD = {"error", "failed", "failure", "rejected", "refused", "invalid", "partial"}
_FIRST_BAD_STATUS = 400


@attrs.define
class PushVerdict:
    """
    Collects what both levels of an answer, its own and that of its data, say.

    Attributes:
        rejected: By id; the first reason counts.
        refused: Counts of what was not taken, by their keys.
        accepted: Each count of what was accepted.
        counts: Other counts, none of which may be below what was taken.
        duplicates: How many were there already, by count.
        duplicate_ids: Which were there already.
        complaints: What else is wrong.
    """

    rejected: dict[str, RejectedTransaction] = attrs.field(factory=dict)
    refused: dict[str, int] = attrs.field(factory=dict)
    accepted: list[Any] = attrs.field(factory=list)
    counts: list[int] = attrs.field(factory=list)
    duplicates: int = 0
    duplicate_ids: set[str] = attrs.field(factory=set)
    complaints: list[str] = attrs.field(factory=list)

    @classmethod
    def of(cls, body: Mapping[str, Any], data_key: str) -> "PushVerdict":
        """
        Read *body* and what it has under *data_key*.
        """
        verdict, data = cls(), body.get(data_key)
        levels = [body, data] if isinstance(data, dict) else [body]

        if isinstance(data, list):
            verdict._read_results([one for one in data if isinstance(one, dict)])
        for level in reversed(levels):
            verdict._read(level)
            if isinstance(level.get("results"), dict):
                verdict._read(level["results"])
        verdict._compare()

        return verdict

    @property
    def accepted_count(self) -> int | None:
        """
        How many the answer says were accepted; None if it says nothing.

        Raises:
            EnvelopeError: It is no count.
        """
        if any(isinstance(count, bool) or not isinstance(count, int) for count in self.accepted):
            raise EnvelopeError("the back office's `accepted` is not a count")

        return max(self.accepted, default=None)

    def _read(self, level: Mapping[str, Any]) -> None:
        if not _OBJECTING.isdisjoint(level):
            self._read_objections(level)

        self._read_taken(level)
        results = level.get("results")
        if isinstance(results, list):
            self._read_results(results)
        elif results and not isinstance(results, dict):
            self.complaints.append(f"`results` is {_short(results)}")

    def _read_objections(self, level: Mapping[str, Any]) -> None:
        for name in filter(level.__contains__, _REJECTING):
            self._read_rejecting(name, level[name])
        for name in filter(level.__contains__, _REFUSED_COUNTS):
            for count in _numbers(level, (name,)):
                self._refuse(name, count)

        for name in filter(level.get, _COMPLAINING):
            self.complaints.append(f"`{name}` is {_short(level[name])}")
        if _word(level.get("status")) in _BAD:
            self.complaints.append(f"`status` is {_short(level['status'])}")

    def _read_rejecting(self, name: str, value: Any) -> None:
        """
        Read one list of what was not taken, or how many these are.
        """
        if isinstance(value, list):
            for entry in value:
                self._reject(name, entry)
        elif isinstance(value, dict) and value:
            for key, reason in value.items():
                self._add(key, reason if isinstance(reason, dict) else {"error": reason})
        elif isinstance(value, int) and not isinstance(value, bool):
            self._refuse(name, value)
        elif value or value == {}:
            self.complaints.append(f"`{name}` is {_short(value)}")

    def _refuse(self, name: str, count: int) -> None:
        """
        Note how many were not taken; fewer than none is no count.
        """
        if count < 0:
            self.complaints.append(f"`{name}` is {count}")
        elif count:
            self.refused[name] = max(count, self.refused.get(name, 0))

    def _reject(self, name: str, entry: Any) -> None:
        named = _id_of(entry)

        if named is not None:
            self._add(named, entry)
        elif isinstance(entry, str) and name not in _EXPLAINING:
            self._add(entry, {})
        else:
            self.complaints.append(f"`{name}` names no transaction: {_short(entry)}")

    def _add(self, name: str, entry: Mapping[str, Any]) -> None:
        self.rejected.setdefault(name, RejectedTransaction(id=name, error=error_text(entry)))

    def _read_taken(self, level: Mapping[str, Any]) -> None:
        accepted, duplicates = level.get("accepted"), level.get("duplicates")

        if accepted is not None:
            self.accepted.append(len(accepted) if isinstance(accepted, list) else accepted)
        self.accepted += _numbers(level, _COUNTS)
        self.counts += _numbers(level, _OTHER_COUNTS)

        if isinstance(duplicates, list):
            ids = [one if isinstance(one, str) else _id_of(one) for one in duplicates]
            self.duplicate_ids.update(one for one in ids if one is not None)
            if None in ids:
                self.complaints.append("`duplicates` names a transaction without an id")
        else:
            self.duplicates = max(self.duplicates, *_numbers(level, ("duplicates",)), 0)

    def _read_results(self, results: list[Any]) -> None:
        """
        Read a list with an entry for each transaction, or for the bad ones.
        """
        good = 0

        for entry in results:
            result, named = _result_of(entry), _id_of(entry)
            good += result == "good"
            if result == "bad" and named is not None:
                self._add(named, entry)
            elif result == "known" and named is not None:
                self.duplicate_ids.add(named)
            elif result != "good":
                self.complaints.append(f"`results` has {_short(entry)}")

        if good:
            self.accepted.append(good)

    def _compare(self) -> None:
        self.complaints += [
            f"`{key}` is {count}, and {len(self.rejected)} are named"
            for key, count in self.refused.items()
            if count not in (0, len(self.rejected))
        ]
        both = self.rejected.keys() & self.duplicate_ids
        numbers = {count for count in self.accepted if isinstance(count, int)}
        known = max(self.duplicates, len(self.duplicate_ids))

        if both:
            self.complaints.append(f"duplicates that are rejected as well: {len(both)}")
        # One count may include the duplicates, and the other not.
        if len(numbers) > 1 and max(numbers) - min(numbers) != known:
            self.complaints.append(f"it accepted {min(numbers)}, and {max(numbers)}")


def error_text(body: Mapping[str, Any]) -> str:
    """
    What *body* says is wrong.
    """
    return server_message(body) or "no further explanation"


def _id_of(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return None

    ids = [entry[key] for key in _IDS if key in entry]
    named = ids[0] if ids else None

    if isinstance(named, int) and not isinstance(named, bool):
        return str(named)

    return named if isinstance(named, str) and named else None


def _result_of(entry: Any) -> str:
    """
    Is a transaction `good`, `known` from before or `bad`, or is that not said?
    """
    if not isinstance(entry, dict):
        return "unsaid"

    status = entry.get("status")
    word, number = _word(status), status if isinstance(status, int) else 0
    said = [entry[key] for key in ("success", "ok", "accepted") if key in entry]
    failed = False in said or word in _BAD or number >= _FIRST_BAD_STATUS

    if word in _KNOWN and not failed:
        return "known"
    if failed or (entry.get("error") and status is None and True not in said):
        return "bad"
    if (word in _GOOD or (status is None and True in said)) and not entry.get("error"):
        return "good"

    return "unsaid"


def _numbers(level: Mapping[str, Any], keys: tuple[str, ...]) -> list[int]:
    values = [level[key] for key in filter(level.__contains__, keys)]

    return [one for one in values if isinstance(one, int) and not isinstance(one, bool)]


def _word(value: Any) -> str:
    text = str(value) if isinstance(value, str | int) else ""

    return "".join(char for char in text.lower() if char.isalnum())


def _short(value: Any) -> str:
    if isinstance(value, str):
        return shortened(value)

    return server_message(value) or shortened(encode_decoded(value).decode())
