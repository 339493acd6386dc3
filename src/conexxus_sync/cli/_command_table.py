"""
The table of all commands: where each is, and what is said where a signal stops it.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """
    One command; its module is imported when it runs.

    Attributes:
        place: Module and function.
        is_lasting: Whether it handles signals itself, to finish what it is at.
        when_stopped: What is said where a signal ended it.
    """

    place: str
    is_lasting: bool = False
    when_stopped: str = "stopped."


GROUPS = {
    "config": "The settings, and where they come from.",
    "quarantine": "What was set aside, and why.",
    "outbox": "Batches of sales, and what to do about them.",
    "store": "Copies of the SDK's own state, and checks of it.",
    "naxml": "Files of NAXML, and what is in them.",
    "fleet": "Many stores in one process.",
    "profile": "With which profile of the back office sales are pushed.",
}

_PULL_STOPPED = "stopped. Nothing is lost: the next pull starts afresh."
_PUSH_STOPPED = "stopped. Nothing is lost: the next push goes on with what was not acknowledged."
_RUN_STOPPED = "stopped. Nothing is lost: the next pull starts afresh, the next push goes on."
_COPY_STOPPED = "stopped. Nothing was changed."
_MOVE_STOPPED = "stopped. Run it again: a copy is complete, or nothing of it is there."

COMMANDS = {
    "demo": Command("_demo_command:demo"),
    "init": Command("_init_command:init"),
    "sandbox": Command("_sandbox_command:sandbox", is_lasting=True),
    "pull": Command("_pull_command:pull", when_stopped=_PULL_STOPPED),
    "push": Command("_push_command:push", when_stopped=_PUSH_STOPPED),
    "run": Command("_run_command:run", is_lasting=True, when_stopped=_RUN_STOPPED),
    "reconcile": Command("_reconcile_command:reconcile"),
    "status": Command("_status_command:status"),
    "runs": Command("_listing_commands:runs"),
    "items": Command("_listing_commands:items"),
    "why": Command("_why_command:why"),
    "config show": Command("_config_command:config_show"),
    "completion": Command("_init_command:completion"),
    "doctor": Command("_doctor_command:doctor"),
    "conformance": Command("_conformance_command:conformance"),
    "check-adapters": Command("_adapters_command:check_adapters"),
    "quarantine list": Command("_quarantine_commands:quarantine_list"),
    "quarantine show": Command("_quarantine_commands:quarantine_show"),
    "quarantine replay": Command("_quarantine_replay_command:quarantine_replay"),
    "quarantine dismiss": Command("_quarantine_commands:quarantine_dismiss"),
    "outbox dates": Command("_outbox_dates_command:outbox_dates"),
    "outbox list": Command("_outbox_commands:outbox_list"),
    "outbox show": Command("_outbox_commands:outbox_show"),
    "outbox resend": Command("_outbox_operator_commands:outbox_resend"),
    "outbox resolve": Command("_outbox_operator_commands:outbox_resolve"),
    "outbox accept-discrepancy": Command("_outbox_operator_commands:outbox_accept_discrepancy"),
    "store backup": Command("_store_commands:store_backup", when_stopped=_COPY_STOPPED),
    "store restore": Command("_store_commands:store_restore", when_stopped=_COPY_STOPPED),
    "store check": Command("_store_commands:store_check"),
    "store copy": Command("_store_copy_command:store_copy", when_stopped=_MOVE_STOPPED),
    "compare": Command("_compare_command:compare"),
    "cutover": Command("_cutover_command:cutover"),
    "naxml sniff": Command("_naxml_commands:naxml_sniff"),
    "naxml show": Command("_naxml_commands:naxml_show"),
    "naxml write": Command("_naxml_commands:naxml_write"),
    "naxml skip": Command("_naxml_skip_command:naxml_skip"),
    "fleet run": Command("_fleet_commands:fleet_run", is_lasting=True, when_stopped=_RUN_STOPPED),
    "fleet pull": Command("_fleet_pull_commands:fleet_pull", when_stopped=_PULL_STOPPED),
    "fleet accept": Command("_fleet_pull_commands:fleet_accept", when_stopped=_PULL_STOPPED),
    "fleet status": Command("_fleet_commands:fleet_status"),
    "fleet doctor": Command("_fleet_doctor_command:fleet_doctor"),
    "fleet add": Command("_fleet_add_command:fleet_add", when_stopped=_COPY_STOPPED),
    "fleet adopt": Command("_fleet_adopt_command:fleet_adopt", when_stopped=_MOVE_STOPPED),
    "profile show": Command("_profile_commands:profile_show"),
    "profile change": Command("_profile_commands:profile_change"),
}
