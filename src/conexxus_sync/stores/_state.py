"""
`State`: everything that the store has of one location, by repository.
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._database import Session


if TYPE_CHECKING:
    from ._api_calls import ApiCalls
    from ._catalogue_staging import CatalogueStaging
    from ._date_books import DateBooks
    from ._freeze_numbers import FreezeRecord, Freezes
    from ._host_queue import HostQueue
    from ._mirror import Mirror, MirrorMerge
    from ._notice_queue import NoticeQueue
    from ._operator_actions import OperatorActions
    from ._outbox import Outbox
    from ._outbox_maintenance import OutboxMaintenance
    from ._plans import Plans
    from ._reconciliations import Reconciliations
    from ._run_history import RunHistory
    from ._sales_dates import SalesDates
    from ._sales_looks import SalesLooks
    from ._sales_profiles import SalesProfiles
    from ._sales_quarantine import SalesQuarantine
    from ._sales_staging import SalesStaging
    from ._shadow_looks import ShadowLooks
    from ._source_files import SourceFiles
    from ._unreadable_rows import UnreadableRows

# Each attribute of a `State`, with its module: a pull needs none of the sales.
_REPOSITORIES = {
    "runs": ("_run_history", "RunHistory"),
    "mirror": ("_mirror", "Mirror"),
    "staging": ("_catalogue_staging", "CatalogueStaging"),
    "merge": ("_mirror", "MirrorMerge"),
    "host_queue": ("_host_queue", "HostQueue"),
    "plans": ("_plans", "Plans"),
    "shadow_looks": ("_shadow_looks", "ShadowLooks"),
    "source_files": ("_source_files", "SourceFiles"),
    "freezes": ("_freeze_numbers", "Freezes"),
    "outbox": ("_outbox", "Outbox"),
    "outbox_maintenance": ("_outbox_maintenance", "OutboxMaintenance"),
    "date_books": ("_date_books", "DateBooks"),
    "sales_dates": ("_sales_dates", "SalesDates"),
    "sales_looks": ("_sales_looks", "SalesLooks"),
    "sales_staging": ("_sales_staging", "SalesStaging"),
    "sales_quarantine": ("_sales_quarantine", "SalesQuarantine"),
    "sales_profiles": ("_sales_profiles", "SalesProfiles"),
    "operator_actions": ("_operator_actions", "OperatorActions"),
    "notices": ("_notice_queue", "NoticeQueue"),
    "reconciliations": ("_reconciliations", "Reconciliations"),
    "api_calls": ("_api_calls", "ApiCalls"),
}
_NEEDS = {"freezes": ("freeze_file",), "outbox": ("freezes",)}


class State:
    """
    Everything that the SDK remembers of one location, in one unit of work.

    All that is read and written by way of it goes over one connection, and in
    `LocationStore.write` into one transaction.

    Attributes:
        runs: History of the runs.
        mirror: The local copy of the catalogue, its checkpoint and its quarantine.
        staging: Where a read of the catalogue is compared with the mirror.
        merge: Makes the mirror what a staged read says.
        host_queue: Changes that the host has not applied yet.
        plans: Catalogues that were read and not applied.
        shadow_looks: What files and back office differed in.
        source_files: Files that were applied.
        outbox: Batches of sales and what became of them.
        outbox_maintenance: What people, and time, do to batches.
        date_books: What became of each transaction of a business date.
        sales_dates: When each business date was visited.
        sales_looks: What was seen of dates in progress.
        sales_staging: Where a day's transactions are compared with what is
            known of them.
        sales_quarantine: Sales that were set aside, and what the host contradicts.
        sales_profiles: With which profile of the back office sales are sent.
        operator_actions: What operators did, when, and why.
        freezes: How often sales were frozen, here and in the file beside.
        notices: What was sent to people, and what is still to be sent.
        reconciliations: The business dates that were reconciled.
        api_calls: The last call of the back office, of any process.
    """

    def __init__(self, session: Session, location: str, freeze_file: "FreezeRecord") -> None:
        self.session: Session = session
        self.location: str = location
        self.freeze_file: FreezeRecord = freeze_file

    def try_write(self) -> None:
        """
        Change nothing, as a statement that writes: SQLite lets a transaction
        begin on a file that it may only read.

        Raises:
            StoreError: Nothing can be written.
        """
        self.session.execute("DELETE FROM runs WHERE location IS NULL", ())

    if TYPE_CHECKING:
        runs: RunHistory
        mirror: Mirror
        staging: CatalogueStaging
        merge: MirrorMerge
        host_queue: HostQueue
        plans: Plans
        shadow_looks: ShadowLooks
        source_files: SourceFiles
        freezes: Freezes
        outbox: Outbox
        outbox_maintenance: OutboxMaintenance
        date_books: DateBooks
        sales_dates: SalesDates
        sales_looks: SalesLooks
        sales_staging: SalesStaging
        sales_quarantine: SalesQuarantine
        sales_profiles: SalesProfiles
        operator_actions: OperatorActions
        notices: NoticeQueue
        reconciliations: Reconciliations
        api_calls: ApiCalls
    else:

        def __getattr__(self, name: str) -> Any:
            """
            Make a repository when it is first asked for.
            """
            if name not in _REPOSITORIES:
                raise AttributeError(name)

            more = _NEEDS.get(name, ())
            made = _repository(name)(
                self.session, self.location, *(getattr(self, needed) for needed in more)
            )
            setattr(self, name, made)
            return made

    def unreadable_rows(self) -> "list[UnreadableRows]":
        """
        Rows of sales and runs that can't be read, and are passed over.
        """
        from ._unreadable_rows import find_unreadable_rows  # as above

        return list(find_unreadable_rows(self.session, self.location))


@cache
def _repository(name: str) -> Any:
    """
    The class of this name, whose module is imported when it is first asked for.
    """
    module, repository = _REPOSITORIES[name]
    return getattr(import_module(f".{module}", __package__), repository)
