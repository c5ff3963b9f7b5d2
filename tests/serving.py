"""A server that says what Comet's says, as far as its client asks, and keeps what it is sent."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest

EXISTS = 90999
"""What Comet's client takes as: there is an experiment of this key."""


TIMES = ("is_alive_beat_duration_millis", "gpu_monitor_interval_millis", "cpu_monitor_interval_millis")
"""What the client wants to be told."""


class Handler(BaseHTTPRequestHandler):
    """Answers every request with what the client needs to go on."""

    protocol_version = "HTTP/1.1"
    server: "Server"  # type: ignore[assignment]

    def log_message(self, *_: object) -> None:
        pass

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.asked.append((self.path, body))
        status, said = self.server.said(self.path, body)
        raw = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = answer


class Server(ThreadingHTTPServer):
    """On this machine, where a client with a key finds it while the server is entered."""

    daemon_threads = True

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, bytes]] = []
        self.known: set[str] = set()
        monkeypatch.setenv("COMET_API_KEY", "a" * 25)
        monkeypatch.setenv("COMET_URL_OVERRIDE", f"http://127.0.0.1:{self.server_address[1]}/clientlib/")

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def said(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        if path.endswith(("add/run", "get/run")):
            asked = json.loads(body)
            key = asked.get("experimentKey") or asked.get("previousExperiment")
            if path.endswith("add/run") and key in self.known and not asked.get("getOrCreateEnabled"):
                return 400, {"sdk_error_code": EXISTS, "msg": "there is one"}
            self.known.add(key)
            names = {"workspaceName": "w", "projectName": "archspec", "projectId": "p", "project_id": "p"}
            return 200, {"runId": "r", "experimentKey": key, "upload_limit": 10**9, "last_offset": 0} | names
        return 200, {"msg": "", "code": 200, "version": "3.0.0", "pending_rpcs": False, **dict.fromkeys(TIMES, 10_000)}

    def batches(self) -> Iterator[dict[str, Any]]:
        """Every batch of metrics that came, repeated ones repeatedly."""
        yield from (json.loads(body) for path, body in self.asked if path.endswith("/experiment/metric"))
