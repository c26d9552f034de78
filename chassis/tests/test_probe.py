import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chassis import probe


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a service whose `/readyz` answers so."""

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(b'{"ready": false}')

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_that_is_ready_is_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200) as port:
        monkeypatch.setenv("ORDERLOOM_PORT", str(port))
        assert probe.main() == 0


def test_a_service_that_is_not_ready_is_not_and_what_it_says_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(503) as port:
        monkeypatch.setenv("ORDERLOOM_PORT", str(port))
        assert probe.main() == 1
    assert '"ready": false' in capsys.readouterr().out


def test_a_service_that_does_not_answer_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(200) as port:
        pass
    monkeypatch.setenv("ORDERLOOM_PORT", str(port))
    assert probe.main() == 1
    assert "does not answer" in capsys.readouterr().out
