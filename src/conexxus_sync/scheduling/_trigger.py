"""
What became of the wish to start a run.
"""

import attrs


@attrs.frozen(kw_only=True)
class Trigger:
    """
    What became of the wish to pull, or to push.

    Attributes:
        run_id: Of the run that was started, or that is in progress; None if
            it was skipped.
        already_running: Whether it had been started before.
        skipped: Why there is no run.
    """

    run_id: str | None
    already_running: bool = False
    skipped: str | None = None
