"""The processes of a stack: started, watched and stopped together, each with a log of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import psutil
import requests

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 300
"""Time limit for a command or a start. It is long because a busy machine is slow, not broken."""

Process = subprocess.Popen[bytes]


class StackError(Exception):
    """The stack cannot start, or a part of it has ended. The text is one line for a person."""


class Processes:
    """Processes with their logs under ``home``."""

    home: Path
    report: Callable[[str], None]
    commands: dict[str, tuple[list[str], Mapping[str, str]]]
    processes: dict[str, Process]
    logs: list[IO[bytes]]

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process."""
        raise NotImplementedError

    def _options(self, log: IO[bytes], more: Mapping[str, str]) -> dict[str, Any]:
        """Return how each process is started: with the stack's variables and ``more``, and its output in ``log``."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        return {"env": {**self.env, **more}, "cwd": ROOT, **streams}

    def _spawn(self, name: str, command: list[str], more: Mapping[str, str] = MappingProxyType({})) -> Process:
        """Start a process, with the variables ``more`` in addition to the stack's."""
        self.commands[name] = command, more
        log = self._log(name).open("ab")
        self.logs.append(log)
        process = subprocess.Popen(command, **self._options(log, more), start_new_session=True)
        self.processes[name] = process
        return process

    def _run(
        self,
        name: str,
        command: list[str],
        more: Mapping[str, str] = MappingProxyType({}),
        *,
        may_fail: bool = False,
    ) -> None:
        with self._log(name).open("wb") as log:
            done = subprocess.run(command, **self._options(log, more), timeout=LONGEST_SECONDS, check=False)
        if done.returncode != 0:
            text = f"{name} failed; see {self._log(name)}"
            if not may_fail:
                raise StackError(text)
            self.report(text)

    def kill(self, name: str) -> None:
        """Kill one process and its process group, as a fault."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)

    def restart(self, name: str) -> None:
        """Start a killed process again, as its supervisor would."""
        command, more = self.commands[name]
        self._spawn(name, command, more)

    def _await(self, name: str, url: str) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            self.check()
            with contextlib.suppress(requests.RequestException):
                if requests.get(url, timeout=10).status_code < 500:
                    return
            time.sleep(0.2)
        raise StackError(f"{name} did not answer within {LONGEST_SECONDS} s; see {self._log(name)}")

    def check(self) -> None:
        """Raise StackError if a process has ended."""
        for name, process in list(self.processes.items()):
            if name != "airflow-db" and process.poll() is not None:
                self._ended(name, process.returncode)

    def _ended(self, name: str, code: int) -> None:
        raise StackError(f"{name} ended with code {code}{self._last_line(name)}")

    def _log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def _last_line(self, name: str) -> str:
        """Return the last line of a process's log and the log's path, as the end of a sentence."""
        log = self._log(name)
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return f"{f': {lines[-1]}' if lines else ''}; see {log}"

    def memory(self) -> int:
        """Return the bytes that all processes of the stack use. Shared pages count once."""
        total = 0
        for process in list(self.processes.values()):
            with contextlib.suppress(psutil.Error):
                parent = psutil.Process(process.pid)
                for one in [parent, *parent.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        info = one.memory_full_info()
                        total += getattr(info, "pss", info.rss)
        return total

    def stop(self) -> None:
        """Stop every process and its process group."""
        signalled = (signal.SIGTERM, 8.0), (signal.SIGKILL, 5.0)
        for number, patience in signalled:
            for process in list(self.processes.values()):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + patience
            for process in list(self.processes.values()):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=max(0.1, deadline - time.monotonic()))
        self.processes.clear()
        for log in self.logs:
            log.close()
        self.logs.clear()
