"""
The table of all settings of `conexxus_client` and `conexxus_sync`.

Variables, keys of the settings file, options of commands and the reference
are made from it.  It is one table, since one environment and one file hold
the settings of both packages, and a name that is in neither is an error.
"""

from collections.abc import Mapping
from pathlib import Path

from conexxus_client._config_validation import normalized_url, proxy_url
from conexxus_client._secrets import Secret

from . import _setting_values as read
from ._setting import Concern, Setting
from ._setting import client_setting as _client
from ._setting import profile_setting as _profile
from ._setting import sync_setting as _sync


def _guard(concern: Concern, key: str, default: str, of: str) -> Setting:
    field = key.replace(".", ".max_")
    meaning = f"{of}: what lies above is refused, as a fraction"

    return _sync(concern, key, read.share, default, meaning, field=field)


SETTINGS: tuple[Setting, ...] = (
    _client(
        "api.url", "api_url", normalized_url, None, "base URL, http or https", is_required=True
    ),
    _client(
        "api.key",
        "api_key",
        Secret,
        None,
        "API key, or `CONEXXUS_API_KEY_FILE`: see [secrets in files](#secrets-in-files)",
        is_required=True,
        is_secret=True,
    ),
    _client(
        "timeout",
        "timeout_ms",
        read.milliseconds,
        "30000",
        "ms, wall clock of one attempt of a small call; for the catalogue, from connecting to "
        "headers, and each stall",
    ),
    _client("retries", "retries", read.count, "3", "retries after the first attempt"),
    _client(
        "retry_delay",
        "retry_delay_ms",
        read.milliseconds,
        "1000",
        "ms; retry n waits `delay * 2^(n-1)` plus jitter of at most a quarter of it",
    ),
    _client(
        "allow_insecure",
        "allow_insecure",
        read.flag,
        "0",
        "`1` admits http beyond loopback, for the back office and the webhook",
    ),
    _client("ca_file", "ca_file", Path, None, "custom CA bundle"),
    _client(
        "client_cert",
        "client_cert_file",
        Path,
        None,
        "file of our own certificate with its chain, in PEM format",
    ),
    _client(
        "client_key", "client_key_file", Path, None, "file of its key, if that is not in the same"
    ),
    _client(
        "proxy",
        "proxy",
        proxy_url,
        None,
        "explicit proxy, `http://` or `https://`, with user and password as "
        "`http://user:password@host:port` if it wants them; the environment's proxies are ignored",
        is_secret=True,
    ),
    _client(
        "http_backend",
        "http_backend",
        read.choice("httpx", "httpx2"),
        "httpx",
        "`httpx` or `httpx2`",
    ),
    _client(
        "max_connections",
        "max_connections",
        read.limit,
        "32",
        "at most so many connections at a time; further calls wait",
    ),
    _client(
        "max_catalog_bytes",
        "max_catalog_bytes",
        read.limit,
        "1073741824",
        "how large a page of the catalogue may become",
    ),
    _profile("health_path", str, "/api/v1/health", "path of the health check"),
    _profile("catalog_path", str, "/api/v1/inventory/items", "path of the catalogue"),
    _profile("sales_path", str, "/api/v1/sales/push", "path to which sales are sent"),
    _profile(
        "summary_path",
        read.path_or_none,
        "/api/v1/sales/summary",
        "path of a date's totals, or `none` where the back office offers none",
    ),
    _profile(
        "key_header", str, "X-API-Key", "header that takes the API key", field="api_key_header"
    ),
    _profile("auth_scheme", str, None, "stands before the key, like `Bearer`"),
    _profile(
        "auth",
        read.authorization,
        None,
        "an `Auth` as `module:object`, instead of the key in a header",
    ),
    _profile("idempotency_header", str, "Idempotency-Key", "header of a batch's key"),
    _profile("request_id_header", str, "X-Request-Id", "header of a request's id"),
    _profile("cursor_parameter", str, "cursor", "query parameter of the next page"),
    _profile("success_key", str, "success", "key of an envelope that says success"),
    _profile("data_key", str, "data", "key of an envelope that has the items"),
    _profile("next_cursor_key", str, "nextCursor", "key of an envelope that has the cursor"),
    _profile("total_key", str, "total", "key of an envelope that counts the items"),
    _profile(
        "catalog_query", read.query, None, "extra query parameters, like `location=7&kind=wine`"
    ),
    _profile(
        "etag_covers",
        read.choice("catalog", "page"),
        "catalog",
        "whether an ETag is that of the whole `catalog` or of one `page`",
    ),
    _profile(
        "next_link_scope",
        read.choice("path", "origin"),
        "path",
        "how far a link to the next page may lead",
    ),
    _profile(
        "sales_mode",
        read.choice("append", "replace_day"),
        "append",
        "whether a second push for a date adds to the first (`append`) or replaces it "
        "(`replace_day`)",
    ),
    _profile(
        "dedupe",
        read.choice("key", "transaction_id", "none"),
        "key",
        "how the server recognises a repeated batch: `key`, `transaction_id` or `none`",
    ),
    _profile(
        "sku_required",
        read.flag,
        "1",
        "whether each line needs a SKU; with `0` one without gets its kind, like `TIP`",
    ),
    _profile("key_ttl", read.interval, "24h", "how long the server remembers a batch's key"),
    _profile(
        "conflict_is_delivered", read.flag, "0", "whether 409 means that a batch was delivered"
    ),
    _profile(
        "unprocessed_statuses",
        read.statuses,
        None,
        "statuses of a push with which nothing was processed, like `503`",
    ),
    _profile(
        "healthy_statuses",
        read.names,
        None,
        "what the server calls itself when it is well, like `UP`",
    ),
    _profile(
        "push_success_statuses", read.statuses, "200,201", "statuses of a push that was taken"
    ),
    _sync(
        "every",
        "location",
        str,
        "default",
        "location of the pushed sales; `doctor` warns about `default`",
        field="location_id",
    ),
    _sync(
        "every",
        "store",
        str,
        "sqlite:///conexxus.db",
        "the SDK's own state: an SQLite file that no other program uses, or "
        "[`postgresql://…`](../how-to/use-postgresql.md)",
    ),
    _sync(
        "every",
        "timezone",
        read.zone,
        None,
        "IANA zone of the store, by default the system's; if it is not set and the system's zone "
        "is UTC, pushing sales is a configuration error",
    ),
    _sync(
        "every",
        "profile",
        str,
        None,
        "how the back office speaks, as `module:object` with an `ApiProfile`, or `default`; "
        "settings of `api` that are given go before what it says",
    ),
    _sync(
        "push",
        "push_at",
        read.clock_time,
        "23:30",
        "store time of the daily push; before 12:00 means on the next calendar day",
    ),
    _sync(
        "push",
        "day_closes_at",
        read.clock_time,
        "00:00",
        "store time at which the business day ends, up to 11:59, on the next calendar day",
    ),
    _sync(
        "push",
        "push_every",
        read.interval_or_off,
        "off",
        "interval of [pushes during the day](../explanation/business-days.md#push-during-the-day), "
        "from `1m` to `1d`, or `off`",
    ),
    _sync(
        "push",
        "push_settle",
        read.interval,
        "15m",
        "during the day, a sale is pushed that was unchanged for so long, from `1m` to `1d`",
    ),
    _sync(
        "push",
        "sales_since",
        read.day,
        None,
        "first business date ever pushed, `YYYY-MM-DD`; by default the first run's business date, "
        "or the next if its push time has passed",
    ),
    _sync("push", "lookback_days", read.whole, "7", "for how many days late sales are looked for"),
    _sync(
        "push",
        "on_changed",
        read.choice("report", "resend"),
        "report",
        "whether delivered sales that changed or disappeared at the till are only reported "
        "(`report`), or taken back and sent again (`resend`)",
    ),
    _sync(
        "push",
        "compare",
        read.words,
        "currency,discount,discounts,extra,items,kind,register,rounding,tax,taxes,tenders,timestamp,"
        "total",
        "the fields of a delivered sale whose change counts",
    ),
    _sync("push", "summary", read.flag, "0", "`1` adds a summary to each batch"),
    _sync(
        "push",
        "batch.transactions",
        read.limit,
        "2000",
        "at most so many sales are sent together; fewer where the line is too slow for them",
        field="batch_transactions",
    ),
    _sync(
        "push",
        "batch.bytes",
        read.limit,
        "8388608",
        "at most so many bytes are sent together, unless a single sale is larger",
        field="batch_bytes",
    ),
    _guard(
        "push", "sales_guards.gone", "0.2", "delivered sales of a date that are gone at the till"
    ),
    _guard(
        "push", "sales_guards.changed", "0.5", "delivered sales of a date that changed at the till"
    ),
    _sync(
        "push",
        "sales_guards.at_least",
        read.whole,
        "5",
        "so few sales may be gone or changed, whatever their share",
    ),
    _sync(
        "orders",
        "orders",
        str,
        None,
        "where sales come from: a FILE.ndjson, a folder of [NAXML journals](../reference/naxml.md"
        "#sales-from-journals) as `naxml:FOLDER?dialect=passport`, or `package.module:factory`",
    ),
    _sync(
        "pull", "sync_every", read.interval, "1h", "interval of scheduled pulls, from `1m` to `7d`"
    ),
    _sync(
        "pull",
        "removals",
        read.choice("keep", "deactivate"),
        "keep",
        "whether items that are gone are handed to the host's storage (`deactivate`) or not "
        "(`keep`)",
    ),
    _sync("pull", "max_price", read.amount, "1000000000", "the first price that no item may have"),
    _guard("pull", "guards.gone", "0.2", "known items that are gone"),
    _guard("pull", "guards.repriced", "0.5", "known items with another price"),
    _guard("pull", "guards.invalid", "0.5", "received items that are invalid"),
    _sync(
        "pull",
        "guards.from_known",
        read.whole,
        "20",
        "number of known items from which on the guards of a catalogue count",
    ),
    _sync(
        "host",
        "catalog",
        str,
        None,
        "the host's storage of the catalogue, as `package.module:factory`",
    ),
    _sync(
        "pull",
        "catalog_source",
        str,
        None,
        "instead of the back office, a [folder of NAXML files](../reference/naxml.md#a-folder-as-"
        "the-source), as `naxml:/path?dialect=passport`",
    ),
    _sync(
        "pull",
        "shadow",
        str,
        None,
        "a folder of NAXML files, as `catalog_source` has it, that each pull compares with the "
        "back office: see [Migrate from NAXML files](../how-to/migrate-from-naxml.md)",
    ),
    _sync(
        "run",
        "shim.token",
        str,
        None,
        "bearer token of the HTTP shim: printable ASCII without spaces, 16 characters or more "
        "where other machines can reach it",
        is_secret=True,
        field="shim_token",
    ),
    _sync(
        "run",
        "shim.hosts",
        read.host_names,
        None,
        "names under which the shim may be addressed, like `till-1,shop.example`; needed behind a "
        "server that passes on the caller's `Host`",
        field="shim_hosts",
    ),
    _sync(
        "run",
        "alert_webhook",
        read.webhook,
        None,
        "where [alerts and the daily report](../how-to/send-alerts.md) are sent; "
        "https, or http on this machine; kept secret",
        is_secret=True,
    ),
)

BY_VARIABLE: Mapping[str, Setting] = {it.variable: it for it in SETTINGS}
