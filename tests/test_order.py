"""The command that a run in random order prints: it runs the tests in that order again."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import pytest_randomly

from tests import order
from tests.contracts.inner_pytest import pytested

PLUGINS = [pytest_randomly, order]


def write_tests(folder: Path) -> None:
    """Write three files of twelve tests, every third of which is slow, that print their names."""
    (folder / "conftest.py").write_text(
        "def pytest_configure(config):\n    config.addinivalue_line('markers', 'slow: takes long')\n"
    )
    for name in "abc":
        tests = "".join(
            f"{'@pytest.mark.slow' if n % 3 == 0 else ''}\ndef test_{n}():\n    print('RAN {name}{n}')\n"
            for n in range(12)
        )
        (folder / f"test_{name}.py").write_text(f"import pytest\n{tests}")


def run(folder: Path, *flags: str) -> tuple[list[str], str]:
    """Run them; return their names in the order in which they ran, and the command that was printed."""
    ran = pytested(folder, "-p", "xdist.plugin", "-n0", *flags, plugins=PLUGINS, environment={})
    assert ran.code == 0, ran.out
    [again] = re.findall(r"^The same order again: (.*)$", ran.out, re.MULTILINE)
    return re.findall(r"RAN (\w+)", ran.out), again


@pytest.mark.parametrize("flags", [(), ("-m", "not slow")], ids=["all", "fast"])
def test_the_printed_command_gives_the_same_order(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """Of the same tests; a run without it has another order."""
    write_tests(tmp_path)
    first, again = run(tmp_path, *flags)
    other, _ = run(tmp_path, *flags)
    program, *words = shlex.split(again)
    second, same = run(tmp_path, *words)

    assert (program, len(first)) == ("pytest", 24 if flags else 36)
    assert (second, same) == (first, again)
    assert sorted(other) == sorted(first)
    assert other != first


def test_without_random_order_no_command_is_printed(tmp_path: Path) -> None:
    """The order is that of the files."""
    write_tests(tmp_path)
    ran = pytested(tmp_path, plugins=[order], environment={})

    assert "The same order again" not in ran.out
    assert re.findall(r"RAN a(\d+)", ran.out) == [str(n) for n in range(12)]
