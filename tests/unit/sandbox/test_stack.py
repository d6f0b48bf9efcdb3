"""The folder of a stack is private, and a process that ends is reported with its cause."""

import signal
import sys

import pytest

from sandbox.demo import WrongSetting, exit_code
from sandbox.processes import StackError
from sandbox.stack import Ports, Stack


def test_only_the_owner_can_read_the_folder_of_a_stack(tmp_path, monkeypatch):
    monkeypatch.setattr(Stack, "_start", lambda _: None)
    monkeypatch.setattr(Ports, "check_free", lambda _: None)
    home = tmp_path / ".demo"
    home.mkdir(mode=0o755)
    with Stack(home):
        assert home.stat().st_mode & 0o777 == 0o700
        assert (home / "env.sh").exists()


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (
            "raise OSError('Address in use')",
            "sandbox ended with code 1: OSError: Address in use; see",
        ),
        ("import sys; sys.exit(3)", "sandbox ended with code 3; see"),
    ],
)
def test_an_ended_process_is_reported_with_its_last_log_line_and_the_path_of_its_log(tmp_path, does, says):
    stack = Stack(tmp_path)
    stack._spawn("sandbox", [sys.executable, "-c", does]).wait()
    with pytest.raises(StackError, match=f"^{says} {tmp_path / 'sandbox.log'}$"):
        stack.check()
    stack.stop()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StackError("scheduler ended with code 1"), 3),
        (TimeoutError("DAGs missing after 90 s"), 3),
        (WrongSetting("DEMO_DATE=nope is not a date"), 64),
        (KeyboardInterrupt(), 130),
    ],
)
def test_a_demo_that_breaks_exits_with_no_verdict_on_the_day(monkeypatch, capfd, error, code):
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def breaks(_):
        raise error

    assert exit_code("demo", breaks) == code
    assert str(error) in "".join(capfd.readouterr())
