"""
All settings: their names, and where their values come from.
"""

from ._setting import Owner, Setting
from ._setting_table import BY_VARIABLE, SETTINGS
from ._setting_values import day, safe_webhook, search_current_folder, webhook
from ._sources import CONFIG, DEFAULT, OTHER_VARIABLES, Document, Settings, flat


__all__ = [
    "BY_VARIABLE",
    "CONFIG",
    "DEFAULT",
    "OTHER_VARIABLES",
    "SETTINGS",
    "Document",
    "Owner",
    "Setting",
    "Settings",
    "day",
    "flat",
    "safe_webhook",
    "search_current_folder",
    "webhook",
]
