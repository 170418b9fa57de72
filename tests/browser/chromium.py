"""A headless Chromium, controlled through a pipe with its DevTools protocol.

The tests only open pages, evaluate scripts, press keys and take screenshots. For that, Selenium (12 MB, and a
chromedriver of exactly the same version) or Playwright (50 MB, with Node.js) would be the largest tool of this project.
A pipe and not a port: other processes on this machine cannot use it.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WAIT_SECONDS = 30

# Chromium reads commands from descriptor 3 and writes to 4; subprocess alone cannot choose a pipe's number.
_LAUNCHER = (
    "import fcntl, os, sys\n"
    "read, write = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])\n"
    "os.dup2(read, 3)\n"
    "os.dup2(write, 4)\n"
    "os.execv(sys.argv[3], sys.argv[3:])\n"
)


def installed() -> str | None:
    """The path of a Chromium, from CHROMIUM or from the PATH, or None."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


class Chromium:
    """One browser process; use it as a context manager."""

    def __init__(self, program: str) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        its_input, self._to = os.pipe()
        self._from, its_output = os.pipe()
        command = [sys.executable, "-c", _LAUNCHER, str(its_input), str(its_output), program]
        command += ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self._profile.name}"]
        command += ["--no-first-run", "--disable-gpu", "--disable-extensions", "--disable-background-networking"]
        command += ["--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en"]
        if os.geteuid() == 0:  # its sandbox does not start as root, for example in a container
            command.append("--no-sandbox")
        self._process = subprocess.Popen(
            [*command, "about:blank"],
            pass_fds=(its_input, its_output),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_input)
        os.close(its_output)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._to)  # ends the process
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)
        self._profile.cleanup()

    def send(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command; returns its result and keeps the events that come before it."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": params}
        if session:
            command["sessionId"] = session
        message = json.dumps(command).encode() + b"\0"
        while message:
            message = message[os.write(self._to, message) :]
        while (response := self._receive()).get("id") != self._number:
            self.events.append(response)
        assert "error" not in response, (method, response["error"])
        result: dict[str, Any] = response["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._from, 1 << 20)
            assert read, "Chromium ended"
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def open(self, url: str, *, width: int = 1280, height: int = 800, dark: bool = False, scripts: bool = True) -> Tab:
        """Open a page in a new window, and wait until it is loaded."""
        tab = Tab(self, self.send("Target.createTarget", url="about:blank")["targetId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.send(f"{domain}.enable")
        tab.resize(width, height)
        tab.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        tab.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        tab.load(url)
        return tab


class Tab:
    """One page."""

    def __init__(self, browser: Chromium, target: str) -> None:
        self._browser = browser
        self._target = target
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.send(method, self._session, **params)

    def close(self) -> None:
        self._browser.send("Target.closeTarget", targetId=self._target)

    def resize(self, width: int, height: int = 800) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def load(self, url: str) -> None:
        failed = self.send("Page.navigate", url=url).get("errorText")
        assert not failed, (url, failed)
        self.wait_until("document.readyState === 'complete'")

    def wait_until(self, condition: str) -> None:
        started = time.monotonic()
        while not self.evaluate(condition):
            assert time.monotonic() - started < WAIT_SECONDS, f"the page waits for ever: {condition}"
            time.sleep(0.01)

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        response = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in response, response["exceptionDetails"]
        return response["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """Press and release a key, such as Tab, or Enter with its text."""
        code = {"Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39, "ArrowDown": 40}[key]
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code="Space" if key == " " else key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def type(self, text: str) -> None:
        """Insert text at the focus."""
        self.send("Input.insertText", text=text)

    def accessible(self) -> list[dict[str, str]]:
        """What a screen reader gets: role and name of every element."""
        nodes = self.send("Accessibility.getFullAXTree")["nodes"]
        return [
            {"role": node["role"]["value"], "name": node.get("name", {}).get("value", "")}
            for node in nodes
            if not node.get("ignored")
        ]

    def screenshot(self, file: Path, *, max_height: int = 2000) -> None:
        """Write a picture of the page, from its top."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], max_height), "scale": 1}
        response = self.send("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(response["data"]))

    def requests(self) -> list[str]:
        """The addresses that the page requested, without those that its policy blocked."""
        requested = {event["requestId"]: event["request"]["url"] for event in self._events("Network.requestWillBeSent")}
        for event in self._events("Network.loadingFailed"):
            if event.get("blockedReason") == "csp":
                del requested[event["requestId"]]
        return list(requested.values())

    def status(self, url: str) -> int:
        """Of the last response from an address, also of one that the page may not look at; waits for the first."""
        started = time.monotonic()
        while True:
            responses = [event["response"] for event in self._events("Network.responseReceived")]
            if found := [response["status"] for response in responses if response["url"] == url]:
                return int(found[-1])
            assert time.monotonic() - started < WAIT_SECONDS, f"{url} did not respond"
            time.sleep(0.01)

    def complaints(self) -> list[str]:
        """The console's messages: errors of the script and what the page's policy blocked."""
        logged = [event["entry"]["text"] for event in self._events("Log.entryAdded")]
        raised = [event["exceptionDetails"]["text"] for event in self._events("Runtime.exceptionThrown")]
        return logged + raised

    def _events(self, method: str) -> list[dict[str, Any]]:
        self.evaluate("0")  # its response comes after all earlier events
        return [
            event["params"]
            for event in self._browser.events
            if event["method"] == method and event.get("sessionId") == self._session
        ]
