"""A shell as the reader has it: in the project, with the environment of the sandbox and one account's credentials."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import sandbox
from sandbox.accounts import HUB_NAME
from tests.e2e.conftest import NAMES, Project
from tests.templates import ROOT

SECONDS = 180


@dataclass(frozen=True)
class Shell:
    project: Project
    box: sandbox.Box
    aws: str

    def run(
        self, command: str, profile: str = HUB_NAME, in_repository: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """What it prints, errors too, is its stdout. In the repository itself there is no sandbox."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT if in_repository else self.project.folder,
            env=self._without_a_sandbox() if in_repository else self._environment(profile),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )

    def done(self, command: str, profile: str = HUB_NAME) -> str:
        """What a command prints that has to succeed."""
        run = self.run(command, profile)
        assert run.returncode == 0, f"{command}\n{run.stdout}"
        return run.stdout

    def _environment(self, profile: str) -> dict[str, str]:
        """The hub's keys are among the variables, as after `make sandbox-env`; of a target there is a profile."""
        given = dict(self.project.environment)
        own, theirs = self.project.folder / "bin", Path(self.aws).parent
        given["PATH"] = os.pathsep.join([str(own), given["PATH"], str(theirs)])
        if profile == HUB_NAME:
            return given
        return {name: value for name, value in given.items() if name not in NAMES} | {"AWS_PROFILE": profile}

    def _without_a_sandbox(self) -> dict[str, str]:
        return {name: value for name, value in self.project.environment.items() if name not in self.box.environment}
