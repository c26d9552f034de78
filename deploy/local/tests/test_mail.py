import smtplib
import subprocess
import sys
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

from orderloom import ports


def test_a_mail_taken_is_a_file(tmp_path: Path) -> None:
    port = ports.choose(set())
    with subprocess.Popen(
        [sys.executable, "-m", "orderloom.mail", "--port", str(port), "--folder", tmp_path / "mail"]
    ) as server:
        while not ports.is_listening(port):
            assert server.poll() is None
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "orderloom@example.com", "li@example.com", "订单已批准"
        mail.set_content("SO-1")
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(mail)
            client.send_message(mail)
        kept = sorted((tmp_path / "mail").glob("*.eml"))
        assert len(kept) == 2
        assert message_from_bytes(kept[0].read_bytes())["To"] == "li@example.com"
        server.terminate()
        assert server.wait(5) == 0
