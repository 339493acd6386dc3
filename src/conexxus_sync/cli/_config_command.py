"""
`conexxus config show`: the settings, and where each comes from.
"""

import re

from conexxus_client.settings import DEFAULT, SETTINGS, Setting, Settings
from conexxus_sync.model.text_folding import table
from conexxus_sync.views.run_document import Document

from ._console import screen_width, write_json, write_lines
from ._exit_codes import ExitCode
from ._printable import is_confidential
from ._session import Session


HIDDEN = "***"
_PASSWORD = re.compile(r"(?<=://)([^/?#@]*?):[^/?#]*@")
_PARAMETER = re.compile(r"(?i)((?:password|passwd|token|secret|key)=)[^&]*")


class ShownSetting(Document, frozen=True):
    """
    One setting as it is now; `value` is None where nothing says one.
    """

    key: str
    variable: str
    value: str | None
    origin: str


def config_show(*, session: Session) -> ExitCode:
    """
    Print each setting and where it comes from: an option, a variable, the file
    of CONEXXUS_CONFIG, or the default.

    Secrets are not shown, and neither are passwords in addresses.

    ```
    conexxus config show
    conexxus config show --config conexxus.toml --json
    ```
    """
    settings = session.settings()
    shown = [_shown(setting, settings) for setting in SETTINGS]

    if session.json:
        write_json(shown)
    else:
        rows = [(it.key, it.origin, "-" if it.value is None else it.value) for it in shown]
        write_lines(table(("setting", "from", "value"), rows, width=screen_width()))

    return ExitCode.SUCCESS


def _shown(setting: Setting, settings: Settings) -> ShownSetting:
    origin = settings.origin(setting)
    profile = settings.get("CONEXXUS_PROFILE", "")

    if origin != DEFAULT:
        text = settings.get(setting.variable, "")  # "": a secret in a file of its own
        is_hidden = not text or (setting.is_secret and is_confidential(setting.variable, text))
        value = HIDDEN if is_hidden else _redacted(text)
    elif setting.owner == "profile" and profile not in ("", DEFAULT):
        # A command that only shows settings imports no module.
        value, origin = None, f"profile {profile}"
    else:
        value = setting.default

    return ShownSetting(key=setting.key, variable=setting.variable, value=value, origin=origin)


def _redacted(text: str) -> str:
    return _PARAMETER.sub(rf"\1{HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", text))
