"""
Facts about the profile that a store keeps with the first push.
"""

from datetime import date, timedelta

import pytest

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient, ConfigurationError
from conexxus_client.testing import BackOffice, SandboxTransport
from conexxus_sync.model.sales import OutboxError
from conexxus_sync.sales import BatchLimits


LOCATION = "loc-001"
DAY = date(2026, 1, 2)

OTHERS = {
    "sales_path": {"sales_path": "/api/v2/sales/push"},
    "sales_mode": {"sales_mode": "replace_day"},
    "dedupe": {"dedupe": "none"},
    "key_ttl": {"key_ttl": timedelta(hours=1)},
    "conflict_is_delivered": {"conflict_is_delivered": True},
    "idempotency_header": {"idempotency_header": "X-Idempotency"},
    "unprocessed_statuses": {"unprocessed_statuses": (503,)},
}


def elsewhere(till, url):
    config = ClientConfig(api_url=url, api_key=till.office.api_key, retries=0)
    return ConexxusClient(config, transport=SandboxTransport(till.office), profile=till.profile)


def operator(till, **more):
    return till.operator(**{"profile": ApiProfile(), **more})


@pytest.fixture
def parked(till):
    """
    A till with a delivered sale, and another whose delivery is unknown.
    """
    till.profile = ApiProfile(dedupe="none")
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.orders.add(till.sale("t2"))
    till.office.faults("sales: after_commit(reset)")
    till.push(DAY)
    (batch,) = till.open_batches()
    return till, batch


@pytest.mark.case(
    "C1",
    "A command pushes with another profile than the service did",
    "It is refused before anything is sent, with both values of each part that differs",
)
@pytest.mark.parametrize("part", OTHERS)
def test_another_profile_is_refused(till, part):
    """
    Whatever part differs, nothing is frozen or sent, and both values are named.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.orders.add(till.sale("t2"))
    till.profile = ApiProfile(**OTHERS[part])

    with pytest.raises(ConfigurationError, match=f"{part} is .*, kept is ") as caught:
        till.push(DAY)

    assert till.office.requests["sales"] == 1
    assert till.states() == ["delivered"]
    assert "conexxus profile change" in str(caught.value)


@pytest.mark.case(
    "C1",
    "The day is replaced by a push under another profile",
    "The back office keeps the whole day",
)
def test_a_replaced_day_is_not_replaced_by_one_late_sale(till):
    """
    Where each push replaces its day, a push that would append is refused, and
    the late sale goes with the next push of the service.
    """
    till.office = BackOffice(sales_mode="replace_day")
    replacing = ApiProfile(sales_mode="replace_day")
    till.profile = replacing
    till.orders.add(*(till.sale(f"t{number}") for number in range(100)))
    till.push(DAY)
    till.orders.add(till.sale("late"))

    till.profile = ApiProfile()
    with pytest.raises(ConfigurationError, match="sales_mode is append, kept is replace_day"):
        till.push(DAY)
    till.profile = replacing
    till.push(DAY)

    assert len(till.effective()) == 101


@pytest.mark.case(
    "C1",
    "A push goes to another address than before",
    "It is refused; a slash at the end or the default port are no other address",
)
def test_another_address_is_refused(till):
    """
    Another host, scheme or path before the profile's own is another back
    office; another spelling of the same is not.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.orders.add(till.sale("t2"))

    for url in ("http://127.0.0.1", "https://localhost", "http://localhost/tenant-2"):
        with pytest.raises(ConfigurationError, match="kept is"):
            till.engine(client=elsewhere(till, url)).push(DAY)

    till.engine(client=elsewhere(till, "http://LOCALHOST:80/")).push(DAY)
    assert till.effective() == ["t1", "t2"]


@pytest.mark.case(
    "C1",
    "A path is written in the address instead of in the profile",
    "It is the same place, and the push goes on",
)
def test_the_same_place_written_otherwise(till):
    """
    Address and path count together.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.orders.add(till.sale("t2"))

    till.profile = ApiProfile(sales_path="/v1/sales/push", idempotency_header="idempotency-KEY")
    office = BackOffice()
    config = ClientConfig(api_url="http://localhost/api", api_key=office.api_key, retries=0)
    client = ConexxusClient(config, transport=SandboxTransport(office), profile=till.profile)
    (run,) = till.engine(client=client).push(DAY)

    assert run.items_succeeded == 1


@pytest.mark.case(
    "C1",
    "A parked batch is let go under a profile that recognises repetitions",
    "It is refused, and the sales stay parked",
)
def test_resend_and_replay_are_refused(parked):
    """
    What an operator lets go is judged by the profile of the pushes.
    """
    till, batch = parked

    with pytest.raises(ConfigurationError, match="dedupe is key, kept is none"):
        operator(till).resend(batch.key)
    with pytest.raises(ConfigurationError, match="dedupe is key, kept is none"):
        operator(till).replay(DAY, "t2")
    with pytest.raises(OutboxError, match="recognises no repetition"):
        operator(till, profile=till.profile).resend(batch.key)

    assert till.open_batches()[0].parked


@pytest.mark.case(
    "C1",
    "A parked batch of a day that is replaced is settled by a command",
    "It counts as the whole day, whatever profile the command has",
)
def test_resolve_goes_by_the_profile_that_is_kept(till):
    """
    Settled as delivered, a batch replaces what was delivered of its day.
    """
    till.office = BackOffice(sales_mode="replace_day")
    till.profile = ApiProfile(sales_mode="replace_day", dedupe="none")
    till.options = {"on_changed": "resend"}
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.orders.remove("t1")
    till.orders.add(till.sale("t2"))
    till.office.faults("sales: after_commit(reset)")
    till.push(DAY, accept_changes=True)
    (batch,) = till.open_batches()

    operator(till).resolve(batch.key, delivered=True)

    assert till.effective() == ["t2"]
    assert till.peek.outbox_maintenance.history("t1").delivered == ()


@pytest.mark.case(
    "C1",
    "A store of an earlier version keeps no profile",
    "The service takes its own; a command has to name one",
)
def test_a_store_that_keeps_none(till):
    """
    A store that was pushed before it kept profiles takes the one of the
    service, and refuses a default that was not chosen.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    with till.store.write() as state:
        state.session.execute("DELETE FROM sales_profiles")
    till.orders.add(till.sale("t2"))

    with pytest.raises(ConfigurationError, match="--profile default"):
        till.engine(profile_named=False).push(DAY)
    with pytest.raises(ConfigurationError, match="--profile default"):
        operator(till, profile_named=False).replay(DAY, "t1")
    till.engine().push(DAY)

    till.orders.add(till.sale("t3"))
    till.engine(profile_named=False).push(DAY)
    assert till.effective() == ["t1", "t2", "t3"]


@pytest.mark.case(
    "C1",
    "A batch that an earlier version froze is sent first",
    "Its profile is kept before it is sent",
)
def test_kept_before_a_stored_batch_is_sent(till):
    """
    What waits from before has its profile kept before it is sent.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: refuse")
    till.push(DAY)
    with till.store.write() as state:
        state.session.execute("DELETE FROM sales_profiles")

    till.push(DAY)

    with till.store.read() as state:
        kept = state.sales_profiles.kept()
    assert kept is not None
    assert kept.parts["origin"] == "http://localhost:80"


@pytest.mark.case(
    "C1",
    "The first push fails before anything is sent",
    "The profile is kept with the frozen batch",
)
def test_kept_with_the_first_freeze(till):
    """
    Profile and batch are written in one transaction; a push that has nothing
    to send keeps none.
    """
    till.push(DAY)
    with till.store.read() as state:
        assert state.sales_profiles.kept() is None
    till.orders.add(till.sale("t1"))

    def dies(step):
        if step == "frozen":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        till.engine(failpoint=dies).push(DAY)

    till.profile = ApiProfile(dedupe="none")
    with pytest.raises(ConfigurationError, match="dedupe is none, kept is key"):
        till.push(DAY)


@pytest.mark.case(
    "C1",
    "The profile is changed while it is unknown whether a batch arrived",
    "That is refused; once the batch is settled, the other profile pushes",
)
def test_change_is_refused_while_a_batch_is_unknown(parked):
    """
    An operator settles what is unknown before another profile is kept.
    """
    till, batch = parked
    till.profile = ApiProfile()
    changing = operator(till, client_config=till.client().config)

    with pytest.raises(OutboxError, match=f"conexxus outbox resolve {batch.short_key} --deliv"):
        changing.change_profile()
    operator(till).resolve(batch.key, delivered=True)

    assert changing.change_profile() == 0
    till.orders.add(till.sale("t3"))
    till.push(DAY)
    assert till.effective() == ["t1", "t2", "t3"]


@pytest.mark.case(
    "C1",
    "A batch waits while the back office begins to replace days",
    "It is frozen anew as a whole day",
)
@pytest.mark.parametrize(
    ("before", "after"), [("append", "replace_day"), ("replace_day", "append")]
)
def test_what_waits_is_frozen_anew_when_the_mode_changes(till, before, after):
    """
    The bytes of one late sale do not replace a day, and those of a whole day
    are not appended.
    """
    till.profile, till.office = ApiProfile(sales_mode=before), BackOffice(sales_mode=before)
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.orders.add(till.sale("t2"))
    till.office.faults("sales: refuse")
    till.push(DAY)
    assert till.states() == ["delivered", "pending"]

    till.profile = ApiProfile(sales_mode=after)
    till.office.sales_mode = after
    changing = operator(till, profile=till.profile, client_config=till.client().config)
    assert changing.change_profile() == 1
    till.push(DAY)

    assert sorted(till.effective()) == ["t1", "t2"]


def test_what_waits_past_the_last_look_is_frozen_anew(till):
    """
    The next push sends it, though nothing else makes its date due.
    """
    for _ in range(9):
        till.push()
        till.wait(days=1)
    till.orders.add(till.sale("late"))
    till.office.faults("sales: refuse")
    till.push(DAY)

    till.profile = ApiProfile(sales_mode="replace_day")
    till.office.sales_mode = "replace_day"
    changing = operator(till, profile=till.profile, client_config=till.client().config)
    changing.change_profile()
    till.push()

    assert till.effective(DAY) == ["late"]


def test_what_waits_is_frozen_anew_when_ids_are_recognised(till):
    """
    A number that two registers used is set aside then, not taken for a
    repetition and lost.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.orders.add(till.sale("t1", timestamp=till.clock.now()), till.sale("t2"))
    till.office.faults("sales: refuse")
    till.push(DAY)
    assert till.states() == ["delivered", "pending"]

    till.profile = ApiProfile(dedupe="transaction_id")
    till.office.dedupe = "transaction_id"
    changing = operator(till, profile=till.profile, client_config=till.client().config)
    assert changing.change_profile() == 1
    till.push(DAY)

    assert sorted(till.effective()) == ["t1", "t2"]
    assert [*till.quarantined()] == ["t1"]


def kept_origin(till):
    with till.store.read() as state:
        return state.sales_profiles.kept().parts["origin"]


@pytest.mark.case(
    "C1",
    "The first address was wrong: nothing answered there",
    "The right one is taken without a question, and keeps its place",
)
@pytest.mark.parametrize("fault", ["refuse", "status(404)", "status(401)"])
def test_an_address_that_took_nothing_gives_way(till, fault):
    """
    While no sale was accepted, and none may have arrived, another address is
    as good as the first; once one is accepted, it is not.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults(f"sales: {fault}*forever")
    till.engine(client=elsewhere(till, "https://wrong.test")).push(DAY)
    assert kept_origin(till) == "https://wrong.test:443"

    till.office.faults("")
    till.push(DAY)

    assert (till.effective(), kept_origin(till)) == (["t1"], "http://localhost:80")
    with pytest.raises(ConfigurationError, match="conexxus profile change"):
        till.engine(client=elsewhere(till, "https://wrong.test")).push(DAY)


@pytest.mark.case(
    "C1",
    "It is unknown whether the first address took a batch",
    "Another is refused until the batch is settled as not delivered; then it is taken",
)
def test_an_address_that_may_have_sales_keeps_its_place(till):
    """
    A batch of unknown fate goes to no second address: a login page says
    nothing of what is behind it.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: status(200, body=<html>)")
    till.engine(client=elsewhere(till, "https://wrong.test")).push(DAY)

    with pytest.raises(ConfigurationError, match="resolve --all --not-delivered"):
        till.push(DAY)
    assert till.effective() == []

    (batch,) = till.open_batches()
    operator(till).resolve(batch.key, delivered=False)
    till.push(DAY)
    assert till.effective() == ["t1"]


@pytest.mark.parametrize("step", ["sending", "sent"])
def test_a_push_that_died_may_have_arrived(till, step):
    """
    What was on its way when the process died goes to no second address.
    """
    till.orders.add(till.sale("t1"))

    def dies(name):
        if name == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        till.engine(client=elsewhere(till, "https://wrong.test"), failpoint=dies).push(DAY)

    with pytest.raises(ConfigurationError, match="it is unknown whether they arrived"):
        till.push(DAY)


def test_another_profile_at_an_unused_address_is_refused(till):
    """
    Only the address gives way: what was frozen is for a day that is appended to.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: refuse")
    till.push(DAY)

    till.profile = ApiProfile(sales_mode="replace_day")
    with pytest.raises(ConfigurationError, match="sales_mode is replace_day"):
        till.engine(client=elsewhere(till, "https://other.test")).push(DAY)


def said(caught):
    (problem,) = caught.value.problems

    return problem


def test_words_of_another_profile(till):
    """
    All that differs is named, and what to do in each case.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.profile = ApiProfile(dedupe="none", sales_mode="replace_day")

    with pytest.raises(ConfigurationError) as caught:
        till.push(DAY)

    assert said(caught) == (
        "sales of location loc-001 were pushed with another profile of the back office: "
        "sales_mode is replace_day, kept is append; dedupe is none, kept is key. With this one "
        "they could be doubled or replaced, so nothing is sent. Name the profile that is kept "
        "(CONEXXUS_PROFILE or --profile, its origin in CONEXXUS_API_URL); or, if the back office "
        "changed, name the new one and run `conexxus profile change`"
    )


def test_words_of_another_address(till):
    """
    What may have arrived elsewhere is settled first.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: reset")
    till.push(DAY)
    till.profile = ApiProfile(sales_path="/api/v2/sales/push")

    with pytest.raises(ConfigurationError) as caught:
        till.engine(client=elsewhere(till, "https://other.test")).push(DAY)

    assert said(caught) == (
        "sales of location loc-001 were sent to another address, and it is unknown whether they "
        "arrived: origin is https://other.test:443, kept is http://localhost:80; sales_path is "
        "/api/v2/sales/push, kept is /api/v1/sales/push. At a second back office they could be "
        "doubled, so nothing is sent. If no back office is at the address that is kept: "
        "`conexxus outbox resolve --all --not-delivered`, and the next push goes to the other one"
    )


def test_words_of_no_profile(till):
    """
    Where none was kept, one has to be named.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    with till.store.write() as state:
        state.session.execute("DELETE FROM sales_profiles")

    with pytest.raises(ConfigurationError) as caught:
        till.engine(profile_named=False).push(DAY)

    assert said(caught) == (
        "sales of location loc-001 were pushed by a version that did not keep the profile of the "
        "back office, and none was named: with another than before they could be doubled or "
        "replaced, so nothing is sent. Say --profile module:object or CONEXXUS_PROFILE, as your "
        "service has it; `--profile default` if it has none of its own"
    )


@pytest.mark.parametrize("count", [1, 5])
def test_words_of_unknown_batches(new_till, count):
    """
    As many as there are have to be settled; three of them are named.
    """
    none = {"dedupe": "none"}
    till = new_till(
        profile=ApiProfile(**none), office=BackOffice(**none), limits=BatchLimits(transactions=1)
    )
    till.orders.add(*(till.sale(f"t{number}") for number in range(count)))
    till.office.faults("sales: reset*forever")
    for _ in range(3):
        till.push(DAY)
    keys = [batch.short_key for batch in till.open_batches()]
    assert len(keys) == count

    with pytest.raises(OutboxError) as caught:
        operator(till).change_profile()

    batches = "1 batch" if count == 1 else "5 batches"
    assert str(caught.value) == (
        f"it is unknown whether {batches} of sales arrived ({', '.join(keys[:3])}): ask the back "
        "office of before, and settle each before the profile is changed: `conexxus outbox "
        f"resolve {keys[0]} --delivered`, or --not-delivered"
    )


def test_what_is_frozen_anew_says_why(till):
    """
    A batch that gives way to another profile says so.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: refuse")
    till.push(DAY)

    changing = operator(till, profile=ApiProfile(sales_mode="replace_day"))
    assert changing.change_profile() == 1

    (batch,) = till.peek.outbox.batches()
    assert batch.answer == "the profile of the back office changed; frozen anew"


def test_all_that_waits_is_frozen_anew(new_till):
    """
    However many batches there are.
    """
    till = new_till(limits=BatchLimits(transactions=1))
    till.orders.add(*(till.sale(f"t{number}") for number in range(120)))
    till.office.faults("sales: refuse*forever")
    till.push(DAY)

    changing = operator(till, profile=ApiProfile(dedupe="transaction_id"))

    assert changing.change_profile() == 120


@pytest.mark.parametrize(
    ("kept", "given", "count"),
    [
        ({}, {"key_ttl": timedelta(hours=1)}, 0),
        ({}, {"dedupe": "transaction_id"}, 1),
        ({"dedupe": "transaction_id"}, {"dedupe": "transaction_id", "sales_path": "/x"}, 0),
        ({"dedupe": "transaction_id"}, {}, 0),
        ({"sales_mode": "replace_day"}, {"sales_mode": "replace_day", "sales_path": "/x"}, 0),
        (None, {"key_ttl": timedelta(hours=1)}, 1),
    ],
)
def test_what_makes_waiting_bytes_useless(till, kept, given, count):
    """
    What waits keeps its bytes where they mean the same under the other profile.
    """
    till.profile = ApiProfile(**(kept or {}))
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: refuse")
    till.push(DAY)
    if kept is None:
        with till.store.write() as state:
            state.session.execute("DELETE FROM sales_profiles")

    changing = operator(till, profile=ApiProfile(**given), client_config=till.client().config)

    assert changing.change_profile() == count
    assert till.states() == (["pending"] if count == 0 else ["resolved"])


def test_a_profile_that_is_kept_stays(till):
    """
    Nothing is written where the profile is the one that is kept.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    with till.store.read() as state:
        before = state.session.execute("SELECT * FROM sales_profiles").fetchall()
    till.wait(hours=1)
    till.orders.add(till.sale("t2"))

    till.push(DAY)

    with till.store.read() as state:
        assert state.session.execute("SELECT * FROM sales_profiles").fetchall() == before
