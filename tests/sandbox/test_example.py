"""
The example in the package's docstring is a program that runs.
"""

import re

import conexxus_client.testing as testing


def test_the_example_runs():
    (program,) = re.findall(r"```python\n(.*?)```", testing.__doc__, re.DOTALL)

    exec(compile(program, "example", "exec"), {})
