"""A test server for all tests, as on the first day for each."""

import json
import os
import subprocess
import urllib.request

import pytest


class Server:
    """supportd in test mode, and its management API."""

    def __init__(self):
        self.process = subprocess.Popen(
            [os.environ.get("SUPPORTD", "supportd"), "serve", "--test", "--log-level", "warn"]
            + ["--listen", "127.0.0.1:0", "--test-listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.environment = {}
        for line in self.process.stdout:  # export NAME=VALUE
            name, _, value = line.removeprefix("export ").strip().partition("=")
            self.environment[name] = value
            if name == "SUPPORTD_TEST_URL":
                return
        raise RuntimeError("supportd did not start")

    def ask(self, method, path, body=None):
        """Asks the management API. A text is sent as it is, anything else as JSON."""
        data = None
        if body is not None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
        request = urllib.request.Request(self.environment["SUPPORTD_TEST_URL"] + path, data, method=method)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def running():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def server(running, monkeypatch):
    running.ask("POST", "/reset")
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    return running
