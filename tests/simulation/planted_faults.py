"""
Faults that are planted into a copy of the code: each has to be noticed.
"""

import attrs


@attrs.frozen
class Planted:
    """
    One fault.

    Attributes:
        name: What is wrong then.
        file: Below `src`.
        right: What stands there.
        wrong: What takes its place.
        noticed: By a seed of the simulation, or by this test.
    """

    name: str
    file: str
    right: str
    wrong: str
    noticed: int | str


PUSH = "conexxus_sync/sales/_batch_sender.py"
DATE = "conexxus_sync/sales/_date_push.py"
LEASES = "conexxus_sync/stores/_lease_table.py"
OUTCOME = "conexxus_sync/sales/_delivery_outcome.py"
RETRIES = "conexxus_client/_calls/_retries.py"
PULL = "conexxus_sync/inventory/_pull.py"
MERGE = "conexxus_sync/stores/_mirror.py"
WINDOWS = "conexxus_sync/stores/_catalogue_windows.py"
FROZEN = "conexxus_sync/model/frozen_sales.py"
GUARDS = "conexxus_sync/model/guards.py"
CALENDAR = "conexxus_sync/model/calendar.py"
AGE = "conexxus_sync/sales/_key_age.py"
STAGING = "conexxus_sync/stores/_sales_staging.py"
DATES = "conexxus_sync/stores/_sales_dates.py"
DIRECTED = "tests/simulation/test_directed.py::test_directed"

PLANTED = [
    Planted(
        "a key is made at the time of sending",
        PUSH,
        "idempotency_key=batch.key,",
        'idempotency_key=f"{batch.key}-{now:%H%M%S%f}",',
        0,
    ),
    Planted(
        "delivered before it is sent",
        PUSH,
        '        self.context.failpoint("sending")\n',
        "        with self.context.writing() as state:\n"
        '            state.outbox.mark_delivered(batch, answer="sent", now=now)\n'
        '        self.context.failpoint("sending")\n',
        2,
    ),
    Planted(
        "an unknown fate counts as refused",
        PUSH,
        "unknown_since=sent_at if unknown else None,\n            parked=result.parked,",
        "unknown_since=None,\n            parked=result.parked,",
        2,
    ),
    Planted(
        "an unknown fate counts as accepted",
        OUTCOME,
        "    if delivery is Delivery.UNKNOWN:\n        return Outcome.UNKNOWN\n",
        "    if delivery is Delivery.UNKNOWN:\n        return Outcome.ACCEPTED\n",
        2,
    ),
    Planted(
        "429 counts as refused for its content",
        OUTCOME,
        "BLAMES_CONTENT = (400, 413, 422)",
        "BLAMES_CONTENT = (400, 413, 422, 429)",
        "tests/sales/test_delivery_outcome.py",
    ),
    Planted(
        "503 counts as not processed",
        OUTCOME,
        "KEEPS_WAITING = (401, 403, 404, 429)",
        "KEEPS_WAITING = (401, 403, 404, 429, 503)",
        "tests/sales/test_delivery_outcome.py",
    ),
    Planted(
        "a refusal settles what was unknown before",
        OUTCOME,
        "    if was_unknown and found.outcome is not Outcome.ACCEPTED:",
        "    if False:",
        "tests/sales/test_delivery_outcome.py",
    ),
    Planted(
        "a batch of unknown fate is sent again though nobody recognises it",
        OUTCOME,
        '    if profile.dedupe == "none":\n        return "the back office',
        '    if profile.dedupe == "none":\n        return None and "the back office',
        "tests/sales/test_delivery_outcome.py",
    ),
    Planted(
        "a key never gets too old",
        OUTCOME,
        "    if age >= profile.key_ttl - min(TOLERANCE, profile.key_ttl / 10):",
        "    if age >= profile.key_ttl * 1000:",
        "tests/sales/test_key_age.py",
    ),
    Planted(
        "the age of a key goes by the clock alone",
        AGE,
        "    if by_uptime is not None and abs(by_clock - by_uptime) <= TOLERANCE:\n"
        "        return KeyAge(age=max(by_clock, by_uptime))",
        "    if True:\n        return KeyAge(age=by_clock)",
        "tests/sales/test_key_age.py",
    ),
    Planted(
        "a decision to send holds however long the process stands still",
        PUSH,
        "            self._refuse_stale(began)\n",
        "",
        "tests/simulation/test_found.py",
    ),
    Planted(
        "a retry after 422",
        RETRIES,
        "        return isinstance(error, _RETRYABLE) and not isinstance(error, TlsError)",
        "        return not isinstance(error, TlsError)",
        "tests/client/test_retries.py",
    ),
    Planted(
        "the key of a repetition within a call may be forgotten",
        RETRIES,
        "        if self.repeat_by is None or self.boottime() < self.repeat_by:",
        "        if True:",
        "tests/client/test_retries.py",
    ),
    Planted(
        "a lease is taken from a holder that lives",
        LEASES,
        "            or is_void(expires_at, now)\n",
        "            or True\n",
        "tests/stores/test_leases.py",
    ),
    Planted(
        "a lease has one epoch for all",
        LEASES,
        "            epoch = _epoch(row) + 1\n",
        "            epoch = 1\n",
        "tests/stores/test_leases.py",
    ),
    Planted(
        "no process is ever gone",
        LEASES,
        "            or self.processes.is_gone(holder)\n",
        "",
        "tests/stores/test_leases.py",
    ),
    Planted(
        "the host gets nothing of what changed",
        PULL,
        "        self.host.queue(state, changed=changed)\n",
        "        self.host.queue(state, changed=False)\n",
        0,
    ),
    Planted(
        "a window is known though something in it is unusual",
        WINDOWS,
        "int(plain and bool(digest))",
        "int(bool(digest))",
        "tests/inventory/test_known_windows.py",
    ),
    Planted(
        "windows outlast a replay",
        MERGE,
        "        CatalogueWindows(self.session, self.location).forget()\n",
        "",
        "tests/inventory/test_known_windows.py",
    ),
    Planted(
        "what is gone stays",
        MERGE,
        "self.session.execute(_REMOVE, (moment, number, self.location, kind))\n",
        "pass\n",
        f"{DIRECTED}[an item is gone from the catalogue]",
    ),
    Planted(
        "a guard is off by one",
        GUARDS,
        "                if part > whole * limit\n",
        "                if part >= whole * limit\n",
        "tests/inventory/test_guards.py",
    ),
    Planted(
        "the guard of corrections is off",
        GUARDS,
        "        if gone and gone == known:",
        "        if False:",
        "tests/sales/test_change_guard.py",
    ),
    Planted(
        "a sale is its id alone",
        FROZEN,
        "        return self.sold_at[:SECOND] + self.register",
        '        return ""',
        3,
    ),
    Planted(
        "the parts of a digest are in another order",
        "conexxus_sync/model/sale_digests.py",
        '_PARTS = ("total", "items", "tax", "discount", "extra")',
        '_PARTS = ("items", "tax", "discount", "extra", "total")',
        "tests/sales/test_unchanged_sales.py",
    ),
    Planted(
        "a void counts as a sale",
        "conexxus_sync/sales/_corrections.py",
        "        total=_negated(sold.total),\n",
        "        total=sold.total,\n",
        6,
    ),
    Planted(
        "what changed is sent without being taken back",
        DATE,
        "        if self.context.replaces_day or not decision.corrects:\n            return []\n",
        "        return []\n",
        "tests/sales/test_corrections.py",
    ),
    Planted(
        "a date counts as visited though something waits",
        DATE,
        "        self.settled = waiting == 0 and not self.incomplete",
        "        self.settled = True",
        "tests/sales/test_push.py",
    ),
    Planted(
        "a date that is as before is not looked at again",
        DATE,
        "        if self._value(state) != before or self.counters.source_remarks:\n",
        "        if self.counters.source_remarks:\n",
        0,
    ),
    Planted(
        "the late sales of a date are not looked for",
        CALENDAR,
        "        for days in range(1, self.lookback_days + 1):",
        "        for days in range(0):",
        18,
    ),
    Planted(
        "a day ends when its hour is shown for the first time",
        CALENDAR,
        "        if self._wall(late) == shown:\n            return late\n",
        "        if self._wall(late) == shown:\n            return early\n",
        "tests/model/test_calendar.py",
    ),
    Planted(
        "a catalogue is applied in two transactions",
        PULL,
        '            self.context.failpoint("merged")\n'
        "            self._conclude(state, checkpoint, changed=True)\n",
        '            self.context.failpoint("merged")\n'
        "        with self.context.store.write(self.lease) as state:\n"
        "            self._conclude(state, checkpoint, changed=True)\n",
        f"{DIRECTED}[killed between what is one transaction]",
    ),
    Planted(
        "a lease is not checked at a write",
        "conexxus_sync/stores/_sync_store.py",
        "            if lease is not None:\n",
        "            if False:\n",
        f"{DIRECTED}[suspended before a write, while another process did the same]",
    ),
    Planted(
        "an item that can't be read is gone",
        "conexxus_sync/stores/_catalogue_staging.py",
        "WHERE a.key = i.sku AND a.sku IS NOT NULL)",
        "WHERE a.key = i.sku AND a.sku IS NULL)",
        f"{DIRECTED}[an item comes with a price that is none]",
    ),
    Planted(
        "an empty catalogue is applied",
        GUARDS,
        "        elif diff.known and diff.failed == diff.received:\n",
        "        elif diff.known and diff.failed == diff.received > 0:\n",
        f"{DIRECTED}[a small catalogue is empty]",
    ),
    Planted(
        "a sale is sent during the day before it has settled",
        "conexxus_sync/sales/_trickle_push.py",
        "since=now - self.settle)",
        "since=now)",
        f"{DIRECTED}[sold just before a look during the day]",
    ),
    Planted(
        "a freeze is not counted before sales are sent",
        "conexxus_sync/stores/_outbox.py",
        "        self.freezes.advance()\n        row = (self.location, batch.key)\n",
        "        row = (self.location, batch.key)\n",
        f"{DIRECTED}[copied before sales were sent that were frozen]",
    ),
    Planted(
        "a restored store goes on",
        "conexxus_sync/stores/_freeze_numbers.py",
        "            beside=self.file.numbers().get(self.location),\n",
        "            beside=self._stored(),\n",
        f"{DIRECTED}[restored after sales were sent]",
    ),
    Planted(
        "another profile sends",
        "conexxus_sync/sales/_profile_check.py",
        "        if problem := self.problem(state):\n",
        "        if (problem := self.problem(state)) and False:\n",
        f"{DIRECTED}[pushed with another profile]",
    ),
    Planted(
        "a migration forgets what waits",
        "conexxus_sync/stores/migrations/0020_moves.sql",
        "CREATE TABLE store_moves (\n",
        "DELETE FROM batches;\nCREATE TABLE store_moves (\n",
        f"{DIRECTED}[a store of an earlier schema, with sales and a catalogue, "
        "is brought up to date]",
    ),
    Planted(
        "bytes of one sale replace a day",
        "conexxus_sync/sales/_profile_check.py",
        "kept is not None and kept.replaces_day == given.replaces_day and not are_recognised",
        "kept is not None and not are_recognised",
        f"{DIRECTED}[the profile is changed while a sale waits]",
    ),
    Planted(
        "a number of two registers is taken for a repetition after a change of the profile",
        "conexxus_sync/sales/_profile_check.py",
        "kept.replaces_day == given.replaces_day and not are_recognised",
        "kept.replaces_day == given.replaces_day",
        "tests/simulation/test_found.py::test_found[two registers used one number, and ids were "
        "recognised before the second sale went]",
    ),
    Planted(
        "the profile is changed though a batch may have arrived",
        "conexxus_sync/sales/_profile_check.py",
        "    if unknown:\n        keys, first",
        "    if unknown and False:\n        keys, first",
        f"{DIRECTED}[the profile is changed while a sale is unknown]",
    ),
    Planted(
        "a host is said to have what it has not got yet",
        "conexxus_sync/inventory/_host_delivery.py",
        '            self.context.failpoint("host")\n            try:\n',
        "            with self.context.store.write(renew()) as state:\n"
        "                state.host_queue.applied(sequence)\n"
        '            self.context.failpoint("host")\n            try:\n',
        f"{DIRECTED}[killed before the host has the catalogue]",
    ),
    Planted(
        "a visit by a clock that was ahead counts",
        "conexxus_sync/sales/_due_dates.py",
        "        return None if at is None or at > now else at\n",
        "        return at\n",
        f"{DIRECTED}[pushed by a clock that was ahead]",
    ),
    Planted(
        "a lease that was taken over has the start of the process before",
        LEASES,
        "\n    started = excluded.started, host",
        "\n    host",
        "tests/stores/test_leases.py",
    ),
    Planted(
        "a sale that waits at another location has its place there",
        STAGING,
        "AND b.location = ?1 AND b.business_date <> ?2",
        "AND ?1 = ?1 AND b.business_date <> ?2",
        "tests/sales/test_locations_apart.py",
    ),
    Planted(
        "a sale that was delivered at another location has its place there",
        STAGING,
        "WHERE d.location = ?1 AND d.id = s.id AND d.business_date <> ?2 {delivered}",
        "WHERE ?1 = ?1 AND d.id = s.id AND d.business_date <> ?2 {delivered}",
        "tests/sales/test_locations_apart.py",
    ),
    Planted(
        "a day that is replaced is forgotten at all locations",
        "conexxus_sync/stores/_outbox.py",
        '"DELETE FROM delivered WHERE location = ? AND business_date = ?"',
        "\"DELETE FROM delivered WHERE ? <> '' AND business_date = ?\"",
        "tests/sales/test_locations_apart.py",
    ),
    Planted(
        "a host that gets everything takes what waits from the others",
        "conexxus_sync/stores/_host_queue.py",
        '"DELETE FROM changes WHERE location = ?"',
        "\"DELETE FROM changes WHERE ? <> ''\"",
        "tests/inventory/test_pull.py",
    ),
    Planted(
        "a date was looked at when its push ended",
        DATE,
        "state.sales_dates.record([(self.business_date, self.visited_at, self.proven)])",
        "state.sales_dates.record([(self.business_date, self.context.clock.now(), self.proven)])",
        "tests/sales/test_push.py",
    ),
    Planted(
        "a date was looked at when its adoption ended",
        "conexxus_sync/sales/_adoption.py",
        "record([(business_date, looked_at, None)])",
        "record([(business_date, now, None)])",
        "tests/sales/test_outbox_operator.py",
    ),
    Planted(
        "to adopt up to an earlier date opens closed ones",
        DATES,
        "    WHEN sales_floors.open_from > excluded.open_from THEN sales_floors.open_from\n",
        "    WHEN sales_floors.open_from > excluded.open_from THEN excluded.open_from\n",
        "tests/sales/test_outbox_operator.py",
    ),
    Planted(
        "a date of adopted sales is none of which anything is known",
        DATES,
        "AND business_date = ?2)\n"
        "    OR EXISTS (SELECT 1 FROM delivered WHERE location = ?1 AND business_date = ?2)\n",
        "AND business_date = ?2)\n",
        "tests/sales/test_outbox_operator.py",
    ),
    Planted(
        "what a change of the profile freezes anew waits for a look that never comes",
        "conexxus_sync/sales/_profile_check.py",
        "        state.sales_dates.clear_visit(batch.business_date)\n",
        "",
        "tests/sales/test_kept_profile.py",
    ),
    Planted(
        "the date of a proxy is that of the back office",
        "conexxus_client/_calls/_call_core.py",
        "        if reply.status not in (*SUCCESS, *self.profile.push_success_statuses):\n"
        "            return\n",
        "",
        "tests/sales/test_key_age.py",
    ),
    Planted(
        "a half is certainly not delivered",
        PUSH,
        "unknown_since=sent_at if is_known_by_id else None,",
        "unknown_since=None,",
        "tests/sales/test_refused_pushes.py",
    ),
    Planted(
        "a day is replaced while an operator has to settle the one before",
        DATE,
        "self._is_clear(state, parked=self.context.replaces_day)",
        "self._is_clear(state, parked=False)",
        "tests/sales/test_replace_day.py",
    ),
    Planted(
        "the file beside a store goes back to a lower number",
        "conexxus_sync/stores/_freeze_file.py",
        "        if known.get(location, -1) >= number:\n            return\n",
        "",
        "tests/stores/test_freeze_file.py",
    ),
    Planted(
        "ids are forgotten by a clock that is years ahead",
        "conexxus_sync/stores/_outbox_maintenance.py",
        "self._purge_ids(min(now, sold) - IDS_KEPT)",
        "self._purge_ids(now - IDS_KEPT)",
        "tests/sales/test_outbox_operator.py",
    ),
    Planted(
        "a long write leaves a lease that has ended",
        "conexxus_sync/sales/_push_context.py",
        "lease = self.store.leases.extend(state.session, lease, self.clock.now())",
        "pass",
        "tests/sales/test_sales_push.py",
    ),
    Planted(
        "what became of a sale does not wait for an operator who has to settle its void",
        DATE,
        "if self._is_clear(state, parked=True):",
        "if self._is_clear(state, parked=False):",
        "tests/sales/test_push_steps.py",
    ),
    Planted(
        "what an operator said of a batch is true of attempts that came later",
        PUSH,
        "released=batch.released and (result.is_server_error or not unknown),",
        "released=batch.released,",
        "tests/sales/test_batch_outcomes.py",
    ),
    Planted(
        "who dies while sending leaves what an operator said before",
        "conexxus_sync/stores/_outbox.py",
        "forced = 0, released = 0",
        "forced = 0",
        "tests/sales/test_batch_outcomes.py",
    ),
    Planted(
        "an answer of 5xx says that no attempt before it was lost",
        OUTCOME,
        "attempt.delivery is Delivery.NOT_SENT or (attempt.status or 0) >= SERVER_ERROR",
        "True",
        "tests/sales/test_batch_outcomes.py",
    ),
    Planted(
        "a void that is refused without a name is sent for ever",
        PUSH,
        "            bad, parts = members, []\n            if self.context.replaces_day:\n",
        "            bad, parts = members, []\n            if True:\n",
        "tests/sales/test_corrections.py",
    ),
]
