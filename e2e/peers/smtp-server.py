"""A mail server on 127.0.0.1 that keeps what it receives as files.

    python smtp-server.py '{"folder": "...", "port": 2525, "security": "none|starttls|tls", ...}'

Settings: `user` and `password` (without them nobody need log in), `cert` and `key` (files, for TLS), `refuse` (an
address whose mails are refused with 550). A mail becomes two files, first NNNN.eml with its bytes as they came, then
NNNN.json with the envelope and how the client was connected.
"""

import asyncio
import json
import pathlib
import signal
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Mailbox:
    def __init__(self, folder, refuse):
        self.folder = pathlib.Path(folder)
        self.refuse = refuse
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == self.refuse:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        path = self.folder / f"{self.count:04}"
        path.with_suffix(".eml").write_bytes(envelope.original_content)
        facts = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            "user": getattr(session, "auth_data", None),
        }
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(facts))
        unfinished.rename(path.with_suffix(".json"))
        return "250 kept"


def authenticator(settings):
    expected = LoginPassword(settings["user"].encode(), settings["password"].encode())

    def authenticate(server, session, envelope, mechanism, given):
        return AuthResult(success=given == expected, handled=False, auth_data=settings["user"])

    return authenticate


def tls(settings):
    if settings["security"] == "none":
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings["cert"], settings["key"])
    return context


async def main(settings):
    mailbox = Mailbox(settings["folder"], settings.get("refuse"))
    context = tls(settings)
    starttls = context if settings["security"] == "starttls" else None
    implicit = context if settings["security"] == "tls" else None
    options = {"hostname": "mail.e2e", "enable_SMTPUTF8": True, "tls_context": starttls}
    options["require_starttls"] = starttls is not None
    if "user" in settings:
        options.update(authenticator=authenticator(settings), auth_required=True)
        # With implicit TLS the library does not see that the connection is encrypted.
        options["auth_require_tls"] = starttls is not None
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, ended.set_result, None)
    server = await loop.create_server(
        lambda: SMTP(mailbox, loop=loop, **options), "127.0.0.1", settings["port"], ssl=implicit
    )
    async with server:
        await ended


asyncio.run(main(json.loads(sys.argv[1])))
