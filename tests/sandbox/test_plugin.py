"""
The pytest plugin, as a project meets it that has the SDK installed.
"""

import os
import subprocess
import sys


TESTS = """
import urllib.request

from conexxus_client.config import ClientConfig


def test_sandbox(conexxus_sandbox, conexxus_back_office):
    config = ClientConfig.from_env(conexxus_sandbox.env)
    headers = {"X-API-Key": conexxus_sandbox.api_key}
    request = urllib.request.Request(f"{conexxus_sandbox.url}/api/v1/health", headers=headers)

    assert config.api_url == conexxus_sandbox.url
    assert urllib.request.urlopen(request, timeout=20).read().startswith(b'{"success":true')
    assert conexxus_sandbox.office is conexxus_back_office
    assert conexxus_back_office.requests == {"health": 1}


def test_fresh(conexxus_back_office):
    assert conexxus_back_office.requests == {}
"""


def python(*arguments):
    # What else is installed has plugins, too: they take longer than the tests.
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environ)
    return done.returncode, done.stdout + done.stderr


def test_the_fixtures_work_in_another_project(tmp_path):
    (tmp_path / "test_theirs.py").write_text(TESTS)

    # By module, so that this also runs where the SDK is not installed.
    code, output = python(
        *("-m", "pytest", "-q", "-p", "no:conexxus_sandbox", "-p", "no:cacheprovider"),
        *("-p", "conexxus_client.testing.plugin", "--rootdir", str(tmp_path), str(tmp_path)),
    )

    assert (code, "2 passed" in output) == (0, True), output


def test_loading_the_plugin_loads_nothing_of_the_sandbox():
    code, output = python(
        "-c",
        "import pytest, sys; before = set(sys.modules); import conexxus_client.testing.plugin; "
        "print(*sorted(set(sys.modules) - before))",
    )

    assert code == 0, output
    ours = [name for name in output.split() if name.startswith("conexxus_client.testing")]
    assert ours == ["conexxus_client.testing", "conexxus_client.testing.plugin"]


def test_every_public_name_is_there():
    import conexxus_client.testing as testing

    assert testing.__all__ == sorted(testing.__all__)
    assert all(getattr(testing, name).__name__ == name for name in testing.__all__)
    assert set(testing.__all__) <= set(dir(testing))


def test_a_name_that_is_not_there_is_an_attribute_error():
    import conexxus_client.testing as testing

    assert not hasattr(testing, "nothing")
