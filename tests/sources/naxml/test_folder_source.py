"""
A folder of files as the source of the catalogue.
"""

from decimal import Decimal

import attrs
import pytest
from databases import other_of

from conexxus_sync.model.runs import RunKind, RunStatus
from conexxus_sync.sources.naxml import FolderAddress
from maintenance_files import detail, document, good
from peeks import peek


A, B, C = "036000291452", "012345678905", "070847811169"
DELETE = '<RecordAction type="delete"/>'
CREATE = '<RecordAction type="create"/>'
AGE = "<SalesRestriction><MinimumCustomerAge>18</MinimumCustomerAge></SalesRestriction>"
PRICE = "<RegularSellPrice>{}</RegularSellPrice>"


def snapshot(*details):
    return document(*details, table="initialize")


def new_price(code, price):
    return detail(PRICE.format(price), code=code)


def prices(site):
    return {sku: str(item.price) for sku, item in site.shelf.items()}


def runs(site):
    """
    What each pull read, oldest first.
    """
    history = reversed(peek(site.store).runs.history(RunKind.INVENTORY, 100))
    return [(run.file, run.status) for run in history if not run.not_modified]


def test_changes_remove_nothing(site, inbox):
    """
    A file with everything is a snapshot, one with changes adds to it.
    """
    inbox.write("ITT1.xml", snapshot(good(code=A), good(code=B)))
    inbox.write("ITT2.xml", document(good(code=C)))

    run = site.pull()

    assert (run.status, run.created, run.removed) == (RunStatus.SUCCESS, 1, 0)
    assert set(site.shelf) == {A, B, C}
    assert [file for file, _ in runs(site)] == [
        "ITT1.xml (all that there is), and 1 file after it",
        "ITT2.xml (changes)",
    ]


def test_snapshot_removes_what_is_absent(site, inbox):
    inbox.write("ITT1.xml", snapshot(good(code=A), good(code=B)))
    inbox.write("ITT2.xml", snapshot(good(code=B)))

    run = site.pull()

    assert run.removed == 1
    assert set(site.shelf) == {B}


def test_missing_elements_keep_their_values(site, inbox):
    """
    A record of changes is merged with the item by the elements that it has.
    """
    inbox.write("ITT1.xml", snapshot(good("<TaxStrategyID>7</TaxStrategyID>", code=A)))
    inbox.write("ITT2.xml", document(new_price(A, "2.49")))

    site.pull()

    item = site.shelf[A]
    assert (item.name, item.price) == ("Cola", Decimal("2.49"))
    assert item.extra["naxml"]["tax"] == "7"


def test_first_record_must_be_complete(site, inbox):
    """
    A price alone makes no item, nor one that was deleted.
    """
    inbox.write("ITT1.xml", snapshot(good(code=A), good(code=B)))
    inbox.write("ITT2.xml", document(detail(action=DELETE, code=B)))
    inbox.write("ITT3.xml", document(new_price(B, "1.00"), new_price(C, "1.00")))

    run = site.pull()

    assert (run.status, run.items_failed) == (RunStatus.FAILED, 2)
    assert set(site.shelf) == {A}
    assert set(site.quarantine) == {B, C}


def test_ages_need_a_setting_of_the_store(site, inbox):
    """
    Where the dialect does not say what an age is, its item waits in quarantine until the
    address does, and a file says it again.
    """
    inbox.write("ITT1.xml", snapshot(good(AGE, code=A), good(code=B)))
    site.pull()
    assert (set(site.shelf), set(site.quarantine)) == ({B}, {A})

    address = f"naxml:{inbox.path}?dialect=generic&ages=years"
    address = FolderAddress.of(address, "CONEXXUS_CATALOG_SOURCE")
    site.source = attrs.evolve(site.source, address=address)
    inbox.write("ITT2.xml", document(good(AGE, code=A)))
    site.pull()

    assert site.quarantine == {}
    assert site.shelf[A].extra["naxml"]["min_age"] == 18


def test_records_of_one_item_apply_in_order(site, inbox):
    """
    What stands later in a file adds to what stands before it; nothing else of
    the file is affected.
    """
    inbox.write("ITT1.xml", snapshot(good(code=A, price="1.00"), good(code=B, price="1.00")))
    inbox.write(
        "ITT2.xml",
        document(
            new_price(A, "2.00"),
            detail(action=DELETE, code=B),
            good(code=C, name="New"),
            new_price(A, "3.00"),
            good(code=B, name="Again", price="9.00"),
            detail(action=DELETE, code=C),
        ),
    )

    site.pull()

    assert prices(site) == {A: "3.00", B: "9.00"}
    assert site.shelf[B].name == "Again"


def test_unusable_record_after_a_deletion_keeps_the_item(site, inbox):
    inbox.write("ITT1.xml", snapshot(good(code=A), good(code=B)))
    inbox.write("ITT2.xml", document(detail(action=DELETE, code=A), good(code=A, price="free")))

    site.pull()

    assert set(site.shelf) == {A, B}
    assert set(site.quarantine) == {A}


def test_created_item_must_be_new(site, inbox):
    inbox.write("ITT1.xml", snapshot(good(code=A)))
    inbox.write("ITT2.xml", document(good(code=A, price="5.00", action=CREATE)))

    run = site.pull()

    assert prices(site) == {A: "1.79"}
    assert "creates an item that is there already" in run.last_error


@pytest.mark.parametrize("reapply", [False, True])
def test_host_is_notified_of_deletions(site, inbox, host, reapply):
    """
    A deletion by name reaches the host whatever `removals` says; what is only
    absent does not.
    """
    assert site.config.removals == "keep"
    inbox.write("ITT1.xml", snapshot(good(code=A), good(code=B), good(code=C)))
    site.pull(storage=host)
    inbox.write("ITT2.xml", snapshot(good(code=A), detail(action=DELETE, code=B)))

    run = site.pull(storage=host)

    assert run.removed == 2
    assert host.applied[1] == {"removed": [B]}

    site.pull(storage=host, reapply=reapply)

    assert host.applied[2:] == ([{"created": [A], "removed": [B]}] if reapply else [])


def test_quarantine_holds_beyond_changes(site, inbox):
    """
    Changes settle what they are about; of everything else, nothing.
    """
    bad = [good(code=A, price="free"), good(code=B, price="free"), good(code=C)]
    inbox.write("ITT1.xml", snapshot(*bad))
    site.pull()
    assert set(site.quarantine) == {A, B}

    inbox.write("ITT2.xml", document(good(code=B)))
    site.pull()

    assert set(site.quarantine) == {A}
    assert set(site.shelf) == {B, C}


def test_order_of_the_manifests(site, inbox):
    """
    Files apply as the manifests list them; one that no manifest lists waits.
    """
    inbox.write("Z.xml", snapshot(good(code=A, price="1.00")), age_s=0)
    inbox.write("A.xml", document(new_price(A, "2.00")), age_s=0)
    inbox.write("M.xml", document(new_price(A, "9.00")))
    inbox.manifest("MNF20260102.xml", "Z.xml", "A.xml", "MCT20260102.xml")

    site.pull()

    assert prices(site) == {A: "2.00"}
    inbox.manifest("MNF20260103.xml", "M.xml")
    site.pull()
    assert prices(site) == {A: "9.00"}


def test_listed_file_is_missing(site, inbox):
    """
    Nothing overtakes a file that a manifest lists; one that was applied may go.
    """
    inbox.write("ITT1.xml", snapshot(good(code=A)))
    inbox.manifest("MNF1.xml", "ITT1.xml")
    site.pull()
    (inbox.path / "ITT1.xml").unlink()
    assert site.pull().not_modified
    inbox.write("ITT3.xml", document(new_price(A, "3.00")))
    inbox.manifest("MNF2.xml", "ITT2.xml", "ITT3.xml")

    run = site.pull()

    assert "a manifest lists ITT2.xml, which is not in" in run.last_error
    assert prices(site) == {A: "1.79"}


@pytest.mark.parametrize("name", ["../ITT1.xml", "sub/ITT1.xml", "..\\ITT1.xml", "", ".ITT1.xml"])
def test_manifest_leads_nowhere_else(site, inbox, name):
    inbox.write("ITT1.xml", snapshot(good(code=A)))
    inbox.manifest("MNF1.xml", name)

    run = site.pull()

    assert run.last_error.startswith("MNF1.xml: line 1: it lists ")
    assert not site.shelf


def test_file_that_fails_stops_later_ones(site, inbox):
    """
    Nothing of it is applied; once it is written anew, all go on.
    """
    whole = document(good(code=B))
    inbox.write("ITT1.xml", snapshot(good(code=A)))
    inbox.write("ITT2.xml", whole[:-40])
    inbox.write("ITT3.xml", document(good(code=C)))

    run = site.pull()

    assert run.status is RunStatus.FAILED
    assert run.last_error.startswith("ITT2.xml: ")
    assert "1 later file waits for it" in run.last_error
    assert run.retry_at is not None
    assert set(site.shelf) == {A}

    inbox.write("ITT2.xml", whole)
    site.pull()

    assert set(site.shelf) == {A, B, C}


def test_file_of_another_store(site, inbox):
    header = "<TransmissionHeader><StoreLocationID>9</StoreLocationID></TransmissionHeader>"
    inbox.write("ITT1.xml", document(good(code=A), header=header))

    run = site.pull()

    assert "it is of store '9', not of 'loc-001' (location)" in run.last_error
    assert run.retry_at is None


def test_file_that_may_still_be_written(site, inbox):
    """
    Without a manifest, a young file waits, and so does what comes after it.
    """
    inbox.write("ITT1.xml", snapshot(good(code=A)))
    inbox.write("ITT2.xml.tmp", document(good(code=B)))
    inbox.write(".ITT2.xml", document(good(code=B)))
    inbox.write("ITT3.xml", document(good(code=B)), age_s=-3_600)
    inbox.write("ITT4.xml", document(good(code=C)))

    site.pull()

    assert set(site.shelf) == {A}
    site.pull()
    assert set(site.shelf) == {A, B, C}


def test_file_that_is_written_while_it_is_read(site, inbox):
    """
    It is read again as a whole.
    """
    inbox.write("ITT1.xml", snapshot(good(code=A)))

    def write(step):
        if step == "request":
            opened.append(step)
        if step == "page" and len(opened) == 1:
            inbox.write("ITT1.xml", snapshot(good(code=B)))

    opened = []
    run = site.pull(failpoint=write)

    assert "was written while it was read" in run.last_error
    assert not site.shelf
    site.pull()
    assert set(site.shelf) == {B}


def test_each_file_is_applied_once(site, inbox, host):
    """
    The file of the same name counts again once it has other bytes, also those
    of before.
    """
    contents = [document(good(code=A, price=price)) for price in ("1.00", "2.00", "1.00")]

    for content in contents:
        inbox.write("ITT.xml", content)
        site.pull(storage=host)
        assert site.pull(storage=host).not_modified

    inbox.write("ITT.xml", contents[-1], age_s=3_600)
    assert site.pull(storage=host).not_modified
    assert host.applied == [{"created": [A]}, {"updated": [A]}, {"updated": [A]}]
    assert prices(site) == {A: "1.00"}


def test_name_of_all_that_there_was(site, inbox):
    """
    Where a file of this name was all that there is, the mirror holds what changes
    of the same name leave of it.
    """
    inbox.write("ITT.xml", snapshot(good(code=A), good(code=B)))
    site.pull()
    inbox.write("ITT.xml", document(good(code=C)))
    site.pull()

    (applied,) = peek(site.store).source_files.applied().values()
    assert applied.is_complete
    assert set(site.shelf) == {A, B, C}


def test_folder_without_files(site, inbox):
    run = site.pull()

    assert run.last_error == f"there is no complete file of items in {inbox.path} yet"
    inbox.path.rmdir()
    assert "can't be read: No such file or directory" in site.pull().last_error


def many(count, **options):
    return [good(code=f"{number + 4000}", form="plu", **options) for number in range(count)]


def test_guards_look_at_every_file(site, inbox):
    """
    A snapshot that lacks too much is refused, and so are changes that delete or
    reprice too much; a share of a few changes says nothing.
    """
    inbox.write("ITT1.xml", snapshot(*many(30)))
    inbox.write("ITT2.xml", document(*many(3, price="9.00"), good(code="5000", price="free")))
    run = site.pull()
    assert (run.status, run.updated, run.items_failed) == (RunStatus.PARTIAL, 3, 1)

    inbox.write("ITT3.xml", snapshot(*many(20)))
    inbox.write("ITT4.xml", document(good(code=A)))
    refused = site.pull()

    assert refused.refused.startswith("10 of 30 known items are gone")
    assert A not in site.shelf

    site.pull(accept=refused.id)

    assert len(site.shelf) == 21

    deleted = [detail(action=DELETE, code=f"{number + 4000}", form="plu") for number in range(10)]
    inbox.write("ITT5.xml", document(*deleted))
    assert "known items are gone" in site.pull().refused
    inbox.write("ITT5.xml", document(*many(15, price="5.00")))
    assert "known items have another price" in site.pull().refused


def test_plan_applies_nothing(site, inbox):
    inbox.write("ITT1.xml", snapshot(good(code=A)))
    inbox.write("ITT2.xml", snapshot(good(code=B)))

    run = site.pull(plan=True)

    assert (run.created, run.planned) == (1, True)
    assert not site.shelf
    assert peek(site.store).source_files.applied() == {}


def test_settings_of_the_rules_change(site, inbox):
    """
    What was applied stays so, though it was read by other rules.
    """
    inbox.write("ITT1.xml", snapshot(good(code=A)))
    site.pull()
    site.config = attrs.evolve(site.config, max_price=Decimal(10))

    run = site.pull()

    assert (run.status, run.not_modified) == (RunStatus.SUCCESS, True)


class Killed(BaseException):
    """
    The end of the process.
    """


STEPS = ("leased", "request", "page", "read", "compared", "merge", "merged", "commit", "committed")


@pytest.mark.parametrize("step", [*STEPS, "host", "host applied", "release"])
def test_killed_at(site, inbox, host, step):
    """
    Wherever a process ends, each file is applied once, and the host has it all.
    """
    inbox.write("ITT1.xml", snapshot(good(code=A, price="1.00"), good(code=B)))
    inbox.write("ITT2.xml", document(good(code=C, action=CREATE), new_price(A, "2.00")))
    reached = []

    def kill(name):
        reached.append(name)
        if name == step and reached.count(step) == 2:
            raise Killed

    with pytest.raises(Killed):
        site.pull(storage=host, failpoint=kill)

    site.store = other_of(site.store)
    site.source = attrs.evolve(site.source, store=site.store)
    run = site.pull(storage=host)

    assert run.status is RunStatus.SUCCESS
    assert prices(site) == {A: "2.00", B: "1.79", C: "1.79"}
    assert site.quarantine == {}
    applied = peek(site.store).source_files.applied()
    assert set(applied) == {"ITT1.xml", "ITT2.xml"}
    assert host.applied[0] == {"created": [B, A]}
    assert host.applied[1:] in (
        [{"created": [C], "updated": [A]}],
        [{"created": [C], "updated": [A]}] * 2,
    )
