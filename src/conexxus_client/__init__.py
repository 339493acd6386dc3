"""
A typed client for a Conexxus-style back office over REST.

Start with `ConexxusClient`, or `AsyncConexxusClient` on an event loop.
"""

from typing import TYPE_CHECKING

from ._version import __version__
from .lazy_names import lazy_names


if TYPE_CHECKING:
    from ._async_client import AsyncConexxusClient
    from ._calls._retries import RetryPolicy
    from ._calls._wire_types import (
        AsyncReply,
        AsyncTransport,
        Headers,
        Limits,
        Reply,
        Request,
        Transport,
    )
    from ._catalogue._async_catalog_stream import AsyncCatalogRead
    from ._catalogue._catalog_stream import CatalogRead
    from ._client import ConexxusClient
    from ._codec import (
        BookedTransaction,
        CatalogWindow,
        CountedTotal,
        DayTotals,
        FrozenBatch,
        ItemColumns,
        ItemRow,
        TaxTotal,
        decode_extra,
        decode_item,
        decode_transaction,
        encode_batch,
        encode_extra,
        encode_item,
        encode_transaction,
    )
    from ._receipt._amounts import exact_sum
    from ._receipt._moments import local_time, utc_time
    from ._receipt._receipt_parts import (
        Discount,
        LineKind,
        Tax,
        Tender,
        TransactionKind,
        currency_decimals,
    )
    from .config import ApiProfile, Auth, AuthRequest, ClientConfig, Secret
    from .errors import (
        AnswerError,
        AttemptRecord,
        AuthenticationError,
        CallStoppedError,
        CatalogChangedError,
        ConexxusError,
        ConfigurationError,
        ConnectError,
        ConnectionLostError,
        DeadlineExceededError,
        DecodeError,
        Delivery,
        EnvelopeError,
        HostNotFoundError,
        NotFoundError,
        PermissionDeniedError,
        ProtocolError,
        RateLimitError,
        RedirectError,
        RequestTimeoutError,
        ResponseTooLargeError,
        ServerError,
        StatusError,
        TlsError,
        TransportError,
    )
    from .instrumentation import AttemptDetails, CallDetails, Hook
    from .models import (
        ApiHealth,
        ConnectionCheck,
        InvalidItem,
        Item,
        PushReceipt,
        RejectedTransaction,
        SalesBatch,
        SalesSummary,
        Transaction,
        TransactionLine,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_receipt._amounts": "exact_sum",
            "_async_client": "AsyncConexxusClient",
            "_calls._retries": "RetryPolicy",
            "_calls._wire_types": (
                "AsyncReply AsyncTransport Headers Limits Reply Request Transport"
            ),
            "_catalogue._async_catalog_stream": "AsyncCatalogRead",
            "_catalogue._catalog_stream": "CatalogRead",
            "_client": "ConexxusClient",
            "_codec": (
                "BookedTransaction CatalogWindow CountedTotal DayTotals FrozenBatch ItemColumns "
                "ItemRow TaxTotal decode_extra decode_item decode_transaction encode_batch "
                "encode_extra encode_item encode_transaction"
            ),
            "_receipt._moments": "local_time utc_time",
            "_receipt._receipt_parts": (
                "Discount LineKind Tax Tender TransactionKind currency_decimals"
            ),
            "config": "ApiProfile Auth AuthRequest ClientConfig Secret",
            "errors": (
                "AnswerError AttemptRecord AuthenticationError CallStoppedError "
                "CatalogChangedError ConexxusError ConfigurationError ConnectError "
                "ConnectionLostError DeadlineExceededError DecodeError Delivery EnvelopeError "
                "HostNotFoundError NotFoundError PermissionDeniedError ProtocolError "
                "RateLimitError RedirectError RequestTimeoutError ResponseTooLargeError "
                "ServerError StatusError TlsError TransportError"
            ),
            "instrumentation": "AttemptDetails CallDetails Hook",
            "models": (
                "ApiHealth ConnectionCheck InvalidItem Item PushReceipt RejectedTransaction "
                "SalesBatch SalesSummary Transaction TransactionLine"
            ),
        },
    )

__all__ = [
    "AnswerError",
    "ApiHealth",
    "ApiProfile",
    "AsyncCatalogRead",
    "AsyncConexxusClient",
    "AsyncReply",
    "AsyncTransport",
    "AttemptDetails",
    "AttemptRecord",
    "Auth",
    "AuthRequest",
    "AuthenticationError",
    "BookedTransaction",
    "CallDetails",
    "CallStoppedError",
    "CatalogChangedError",
    "CatalogRead",
    "CatalogWindow",
    "ClientConfig",
    "ConexxusClient",
    "ConexxusError",
    "ConfigurationError",
    "ConnectError",
    "ConnectionCheck",
    "ConnectionLostError",
    "CountedTotal",
    "DayTotals",
    "DeadlineExceededError",
    "DecodeError",
    "Delivery",
    "Discount",
    "EnvelopeError",
    "FrozenBatch",
    "Headers",
    "Hook",
    "HostNotFoundError",
    "InvalidItem",
    "Item",
    "ItemColumns",
    "ItemRow",
    "Limits",
    "LineKind",
    "NotFoundError",
    "PermissionDeniedError",
    "ProtocolError",
    "PushReceipt",
    "RateLimitError",
    "RedirectError",
    "RejectedTransaction",
    "Reply",
    "Request",
    "RequestTimeoutError",
    "ResponseTooLargeError",
    "RetryPolicy",
    "SalesBatch",
    "SalesSummary",
    "Secret",
    "ServerError",
    "StatusError",
    "Tax",
    "TaxTotal",
    "Tender",
    "TlsError",
    "Transaction",
    "TransactionKind",
    "TransactionLine",
    "Transport",
    "TransportError",
    "__version__",
    "currency_decimals",
    "decode_extra",
    "decode_item",
    "decode_transaction",
    "encode_batch",
    "encode_extra",
    "encode_item",
    "encode_transaction",
    "exact_sum",
    "local_time",
    "utc_time",
]
