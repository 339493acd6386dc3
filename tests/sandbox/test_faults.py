"""
The fault language: what it says, and that it says it exactly.
"""

import sys
import threading
from collections import Counter

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conexxus_client.testing import BackOffice, FaultSyntaxError, parse_faults
from conexxus_client.testing._faults._fault_queue import FaultQueue
from conexxus_client.testing._faults._fault_script import (
    NOT_AFTER_COMMIT,
    Fault,
    Kind,
    Script,
    Section,
    Step,
)


texts = st.text(max_size=20)
fields = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
counts = st.integers(1, 10**9 - 1)
codes = st.integers(200, 999)
waits = st.integers(0, 10**8)
sizes = st.none() | st.integers(0, 10**12 - 1)

faults = st.one_of(
    st.builds(Fault, kind=st.sampled_from([Kind.OK, Kind.REFUSE, Kind.RESET, Kind.HANG])),
    st.builds(Fault, kind=st.sampled_from([Kind.CLOSE, Kind.GARBAGE, Kind.GOODBYE])),
    st.builds(
        Fault,
        kind=st.just(Kind.STATUS),
        code=codes,
        retry_after=st.none() | fields,
        body=st.none() | texts,
        content_type=st.none() | fields,
    ),
    st.builds(Fault, kind=st.just(Kind.REDIRECT), url=fields, code=st.none() | codes),
    st.builds(Fault, kind=st.just(Kind.SLOW), wait_ms=waits),
    st.builds(
        Fault,
        kind=st.sampled_from([Kind.DRIP, Kind.DRIP_HEAD]),
        wait_ms=st.none() | waits,
        size=sizes,
    ),
    st.builds(
        Fault,
        kind=st.sampled_from([Kind.TRUNCATE, Kind.STALL, Kind.RESET_UPLOAD]),
        size=sizes,
    ),
    st.builds(Fault, kind=st.just(Kind.INTERIM), times=st.none() | counts),
)


@st.composite
def committed(draw):
    fault = draw(faults)
    commits = fault.kind not in NOT_AFTER_COMMIT and draw(st.booleans())
    return attrs.evolve(fault, committed=commits)


chances = st.floats(1e-9, 1)
ending_steps = st.builds(Step, fault=committed(), times=counts, chance=st.none() | chances)
endless_steps = st.builds(Step, fault=committed(), times=st.none(), chance=st.none() | chances)


@st.composite
def sections(draw):
    steps = draw(st.lists(ending_steps, max_size=4))
    if not steps or draw(st.booleans()):
        steps.append(draw(endless_steps))
    endpoint = draw(st.sampled_from([None, "health", "catalog", "sales"]))
    return Section(endpoint=endpoint, steps=tuple(steps))


@settings(deadline=None)
@given(st.lists(sections(), max_size=4))
def test_every_script_reads_back_as_itself(parts):
    script = Script(tuple(parts))

    assert parse_faults(str(script)) == script


@settings(deadline=None)
@given(st.text(alphabet='5023refust,;:()*@="ok. misalhc_', max_size=30))
def test_any_text_is_a_script_or_a_syntax_error_within_it(text):
    try:
        place, script = 0, parse_faults(text)
    except FaultSyntaxError as error:
        place, script = error.position, Script()

    assert 0 <= place <= len(text)
    assert parse_faults(str(script)) == script


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("503*2, reset", "503*2, reset"),
        (" 503 * 2 ,reset ", "503*2, reset"),
        ("status(418)", "418"),
        ("429(retry_after=3)", "429(retry_after=3)"),
        ("status(429, retry_after=3)", "429(retry_after=3)"),
        ("slow(2s)", "slow(wait=2000ms)"),
        ("slow(1.5)", "slow(wait=1500ms)"),
        ("truncate(64KiB)", "truncate(bytes=65536)"),
        ("redirect(https://other.example/login?x)", None),
        ("after_commit( reset )", "after_commit(reset)"),
        ("sales:503*2; catalog:truncate", "sales: 503*2; catalog: truncate"),
        ("reset@0.05", "reset@0.05"),
        ("reset@0.05*forever", "reset@0.05"),
        ("ok*3, hang*forever", "ok*3, hang*forever"),
        ("", ""),
    ],
)
def test_notations(text, canonical):
    expected = "redirect(url=https://other.example/login?x)" if canonical is None else canonical

    assert str(parse_faults(text)) == expected


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("50x", 0, "503, reset or slow(2s)"),
        ("503, explode", 5, "one of: ok, status"),
        ("orders: 503", 0, "health, catalog, sales"),
        ("503*", 4, "a count or 'forever'"),
        ("503*0", 4, "a count or 'forever'"),
        ("reset@2", 6, "above 0 and of at most 1"),
        ("reset@0", 6, "above 0 and of at most 1"),
        ("slow", 0, "slow(wait=…)"),
        ("slow(soon)", 5, "a duration like"),
        ("slow(1.0005s)", 5, "a duration like"),
        ("slow(0.1ms)", 5, "whole milliseconds"),
        ("429(3)", 4, "retry_after="),
        ("429(retry_after=1, retry_after=2)", 19, "body= or type="),
        ("truncate(1, 2)", 12, "')'"),
        ("after_commit(ok)", 13, "after the office has acted"),
        ("after_commit(after_commit(503))", 13, "after the office has acted"),
        ("after_commit(refuse)", 13, "after the office has acted"),
        ("hang*forever, ok", 12, "goes on for ever"),
        ("503 reset", 4, "',', ';'"),
        ("redirect(", 9, "a text"),
        ('200(body="x', 9, "a JSON string"),
        (";", 0, "503, reset or slow(2s)"),
        ('redirect("a\\r\\nb")', 9, "visible ASCII"),
        ("429(retry_after=é)", 16, "visible ASCII"),
    ],
)
def test_a_mistake_is_named_with_its_place(text, position, expected):
    with pytest.raises(FaultSyntaxError) as caught:
        parse_faults(text)

    assert (caught.value.position, expected in str(caught.value)) == (position, True)


def test_a_script_is_played_call_by_call_and_then_all_is_well():
    queue = FaultQueue(parse_faults("503*2, reset"))

    played = [str(queue.take("sales")) for _ in range(5)]

    assert played == ["503", "503", "reset", "ok", "ok"]


def test_a_section_is_about_its_endpoint_only():
    queue = FaultQueue(parse_faults("sales: 503; reset"))

    played = [str(queue.take(name)) for name in ("health", "sales", "catalog", "sales")]

    assert played == ["reset", "503", "ok", "ok"]


def test_ok_lets_a_call_pass_whatever_other_sections_say():
    queue = FaultQueue(parse_faults("sales: ok; 503"))

    assert [str(queue.take("sales")), str(queue.take("sales"))] == ["ok", "503"]


def test_a_call_that_the_dice_spare_is_the_next_sections():
    queue = FaultQueue(parse_faults("reset@1e-9; 503*3"))

    assert [str(queue.take("sales")) for _ in range(4)] == ["503", "503", "503", "ok"]


def test_dice_fall_the_same_way_for_the_same_seed():
    def played(seed):
        queue = FaultQueue(parse_faults("reset@0.25"), seed=seed)
        return [str(queue.take("sales")) for _ in range(1000)]

    assert played(1) == played(1) != played(2)
    assert 200 < Counter(played(1))["reset"] < 300


def test_what_is_left_of_a_script_is_known():
    office = BackOffice(faults="503*3, reset; sales: hang")

    office.next_fault("/api/v1/health")

    assert office.faults_left == "503*2, reset; sales: hang"


@pytest.fixture
def nervous_threads():
    """
    Threads take turns as often as they can.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("nervous_threads")
def test_threads_share_a_script_without_losing_or_doubling_a_step():
    steps = parse_faults("503, reset").sections[0].steps * 20_000
    queue = FaultQueue(Script((Section(steps=steps),)))
    played = Counter()
    lock = threading.Lock()

    def take():
        mine = Counter(str(queue.take("sales")) for _ in range(6000))
        with lock:
            played.update(mine)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert played == {"503": 20_000, "reset": 20_000, "ok": 8_000}
