"""
Plain arguments are read without cyclopts, and in the way in which cyclopts reads them.
"""

from inspect import signature

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_sync.cli._arguments import (
    Options,
    UsageError,
    function_of,
    plain_invocation,
    settings_of,
)
from conexxus_sync.cli._command_table import COMMANDS
from conexxus_sync.cli._cyclopts_parser import invocation


def options_of(function):
    return [f"--{name.replace('_', '-')}" for name in signature(function).parameters]


def settings_options(name):
    return [it.option for it in settings_of(name).values()]


WORDS = sorted(
    {
        *("x", "", "2026-01-02", "a=b", "true", "--", "-", "-h", "--help", "--version", "json"),
        *("--no-force", "--location=loc-9", "--not-delivered", "--limit", "3", "-x"),
        *(word for name in COMMANDS for word in name.split()),
        *options_of(Options),
        *(option for it in COMMANDS.values() for option in options_of(function_of(it))),
        *(option for name in COMMANDS for option in settings_options(name)),
    }
)


# The first command with the option of a setting.
FIRST = {
    option: name for name in sorted(COMMANDS, reverse=True) for option in settings_options(name)
}


@given(
    name=st.sampled_from(sorted(COMMANDS)),
    before=st.lists(st.sampled_from(WORDS), max_size=2),
    after=st.lists(st.sampled_from(WORDS), max_size=5),
)
def test_plain_arguments_mean_the_same_to_cyclopts(name, before, after):
    """
    Whatever is read without cyclopts, cyclopts reads in the same way.
    """
    arguments = [*before, *name.split(), *after]
    plain = plain_invocation(arguments)

    if plain is not None:
        assert plain == invocation(arguments)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_option_means_the_same_to_cyclopts(name):
    """
    Each option of each command, alone, with a text and with a word behind it.

    Those of settings, which are the same wherever they are, together, at their
    first command; one of every command, at one command in four.
    """
    everywhere = options_of(Options)
    options = [
        everywhere[sorted(COMMANDS).index(name) % len(everywhere)],
        *options_of(function_of(COMMANDS[name])),
    ]
    together = " x ".join(it for it in settings_options(name) if FIRST[it] == name).split()
    tails = [["x"], [], ["x", "y"]]
    read = 0

    for words in [[], *([option] for option in options), *([together] if together else [])]:
        for tail in tails:
            arguments = [*name.split(), *words, *tail]
            plain = plain_invocation(arguments)
            if plain is not None:
                read += 1
                assert plain == invocation(arguments)

    assert read > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("pull",),
        ("pull", "--json", "--plan"),
        ("--store", "sqlite:///x.db", "status"),
        ("why", "WINE001", "--location", "loc-9"),
        ("push", "--orders", "sales.ndjson", "--date", "2026-01-02", "--accept-changes"),
        ("outbox", "--json", "list", "--all"),
        ("quarantine", "show", "WINE001"),
        ("run", "--once", "--serve", "127.0.0.1:3000"),
    ],
)
def test_usual_arguments_are_plain(arguments):
    """
    What stands in crontabs and unit files is read without cyclopts.
    """
    assert plain_invocation(arguments) is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ("pull", "--help"),
        ("pull", "--accept"),
        ("pull", "--plan", "--plan"),
        ("pull", "--location=loc-9"),
        ("pull", "x"),
        ("why",),
        ("why", "--name", "x", "y"),
        ("push", "--date", "--json"),
        ("runs", "--limit", "3"),
        ("nothing",),
        ("--all", "items"),
        ("", "items"),
        ("outbox", "--all", "list"),
        ("outbox",),
        (),
    ],
)
def test_other_arguments_are_left_to_cyclopts(arguments):
    """
    Help, mistakes and everything unusual are its business.
    """
    assert plain_invocation(arguments) is None


def test_mistakes_are_usage_errors():
    """
    What no command takes is said, and nothing is called.
    """
    with pytest.raises(UsageError, match="--nonsense"):
        invocation(["pull", "--nonsense"])
