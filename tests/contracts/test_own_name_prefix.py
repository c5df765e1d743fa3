"""The name prefix of a user and a machine, also of a user that has no name, as in a container."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.cli import parser
from contracts.commands.plan_options import own_name_prefix, plan_of

CHECK = ("check", "--base-url", "http://localhost:9", "--api-key", "a-key", "--org", "1", "--profile", "gate")


def nameless(error: type[Exception]) -> Callable[[], str]:
    """Return what fails as `getpass.getuser` does, for a user without an entry in the file of users."""

    def user() -> str:
        raise error("uid not found: 12345")

    return user


@pytest.mark.parametrize(
    "user", [nameless(KeyError), nameless(OSError), nameless(ImportError), lambda: "Ünö k@x"]
)
def test_every_user_has_a_name_prefix(user: Callable[[], str]) -> None:
    """Where the user has no name, its number stands for it."""
    prefix = own_name_prefix(user)

    assert re.fullmatch("[a-z0-9][a-z0-9-]{0,39}", prefix)
    assert prefix == own_name_prefix(user)


def test_a_name_prefix_that_is_given_is_taken() -> None:
    """Without one, a gate takes that of user and machine, and a check of this machine none."""
    given, own, none = (
        plan_of(parser().parse_args(words), {}).name_prefix
        for words in ([*CHECK, "--name-prefix", "ci-1"], CHECK, CHECK[:-2])
    )

    assert (given, own, none) == ("ci-1", own_name_prefix(), "")


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("--name-prefix", "ci-1")])
def test_a_user_without_a_name_and_a_home_can_run_the_judge(flags: tuple[str, ...], tmp_path: Path) -> None:
    """As with `docker run -u 12345`."""
    if not hasattr(os, "getuid") or os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only the super user can become another one")
    rights = "+dac_read_search,+dac_override"  # the interpreter may be in the home of the super user
    become = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups"]
    become += ["--inh-caps", rights, "--ambient-caps", rights]
    command = [sys.executable, "-m", "contracts", *CHECK, "--dry-run", *flags]

    done = subprocess.run(
        [*become, *command],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
