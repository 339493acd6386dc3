"""
What can go wrong around a run, beyond what the client reports.

    ConexxusError
    └── SyncError
        ├── RunInProgressError    another run holds the lease
        ├── LeaseLostError        this run was fenced off by another
        ├── StoreError            the SDK's own state can't be read or written
        ├── HostError             the host's storage or order source raised
        │   └── TransactionEndedError    it ended the transaction it shared
        └── DateClosedError       the business date no longer takes a push
"""

from datetime import date

from conexxus_client import ConexxusError


class SyncError(ConexxusError):
    """
    A run can't start, or can't go on.
    """


class RunInProgressError(SyncError):
    """
    One run per location and kind: another one is at work.

    Attributes:
        run_id: Of the run in progress.
    """

    retryable = True

    def __init__(self, run_id: str, *, kind: str, location_id: str) -> None:
        super().__init__(f"{kind} run {run_id} for location {location_id} is already in progress")
        self.run_id = run_id


class LeaseLostError(SyncError):
    """
    The lease ran out and another run took over; nothing more is written.
    """

    retryable = True


class StoreError(SyncError):
    """
    The SDK's own state can't be read or written.
    """


class HostError(SyncError):
    """
    The host's storage or order source raised.
    """


class TransactionEndedError(HostError):
    """
    The host's storage ended the transaction that it shared with the mirror.

    Nothing of it may be kept, and nothing more may be written in it.
    """

    def __init__(self) -> None:
        super().__init__(
            "the host's catalogue storage ended the transaction that it shares with the mirror: "
            "`apply_in` must neither commit nor roll back, but raise"
        )


class DateClosedError(SyncError):
    """
    The business date no longer takes a push.

    Attributes:
        business_date: The date.
    """

    def __init__(self, business_date: date, reason: str) -> None:
        super().__init__(f"business date {business_date} is closed to push: {reason}")
        self.business_date = business_date
