"""The aioquic side of QUIC's interoperation cases: HTTP/0.9 over streams (hq-interop), as a client or as a server.

    aioquic_peer.py client '{"port": ..., "paths": [...], ...}'
    aioquic_peer.py server '{"certificate": ..., "key": ..., "folder": ..., ...}'

A client prints one line of JSON that says what happened; a server prints its port, then serves until it is ended.
"""

import asyncio
import hashlib
import json
import os
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import HandshakeCompleted, StreamDataReceived
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

CIPHERS = {
    "TLS_AES_128_GCM_SHA256": CipherSuite.AES_128_GCM_SHA256,
    "TLS_AES_256_GCM_SHA384": CipherSuite.AES_256_GCM_SHA384,
    "TLS_CHACHA20_POLY1305_SHA256": CipherSuite.CHACHA20_POLY1305_SHA256,
}
VERSIONS = {1: QuicProtocolVersion.VERSION_1, 2: QuicProtocolVersion.VERSION_2}


def configuration(options, is_client):
    made = QuicConfiguration(is_client=is_client, alpn_protocols=["hq-interop"])
    if "cipher" in options:
        made.cipher_suites = [CIPHERS[options["cipher"]]]
    if "versions" in options:
        made.supported_versions = [VERSIONS[version] for version in options["versions"]]
    if "originalVersion" in options:
        made.original_version = options["originalVersion"]
        made.supported_versions = [options["originalVersion"]] + made.supported_versions
    made.max_data = made.max_stream_data = 16 * 1024 * 1024
    return made


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **rest):
        super().__init__(*args, **rest)
        self.handshake = None

    def quic_event_received(self, event):
        if isinstance(event, HandshakeCompleted):
            self.handshake = event
        super().quic_event_received(event)


async def fetch(client, path):
    reader, writer = await client.create_stream()
    writer.write(f"GET {path}\r\n".encode())
    writer.write_eof()
    return await reader.read()


async def visit(options, ticket=None):
    """One connection; answers what it saw, and the ticket that it was given."""
    made = configuration(options, True)
    made.load_verify_locations(options["ca"])
    made.server_name = "localhost"
    made.session_ticket = ticket
    tickets = []
    is_early = ticket is not None and options.get("early", False)
    async with connect(
        options["host"],
        options["port"],
        configuration=made,
        create_protocol=Client,
        session_ticket_handler=tickets.append,
        wait_connected=not is_early,
    ) as client:
        if is_early:
            bodies = list(await asyncio.gather(*(fetch(client, path) for path in options["paths"])))
            while client.handshake is None:
                await asyncio.sleep(0.02)
        else:
            bodies = []
            paths = options["paths"]
            for at in range(0, len(paths), 100):
                bodies += await asyncio.gather(*(fetch(client, path) for path in paths[at : at + 100]))
                if options.get("updates", False):
                    client.request_key_update()
        # Tickets come after the handshake.
        for _ in range(50):
            if tickets or not options.get("resumes", False):
                break
            await asyncio.sleep(0.02)
        quic = client._quic
        return {
            "hashes": [hashlib.sha256(body).hexdigest() for body in bodies],
            "resumed": client.handshake.session_resumed,
            "early": client.handshake.early_data_accepted,
            "version": 2 if quic._version == QuicProtocolVersion.VERSION_2 else 1,
            "cipher": quic.tls.key_schedule.cipher_suite.name,
            "phase": quic._cryptos[next(e for e in quic._cryptos if e.name == "ONE_RTT")].key_phase,
            "retried": quic._retry_source_connection_id is not None,
        }, (tickets[0] if tickets else None)


async def run_client(options):
    seen, ticket = await visit(options)
    if options.get("resumes", False):
        if ticket is None:
            raise RuntimeError("no ticket came")
        seen, _ = await visit(options, ticket)
    print(json.dumps(seen), flush=True)


class Server(QuicConnectionProtocol):
    folder = "."

    def __init__(self, *args, **rest):
        super().__init__(*args, **rest)
        self.requests = {}

    def quic_event_received(self, event):
        if not isinstance(event, StreamDataReceived):
            return
        request = self.requests.get(event.stream_id, b"") + event.data
        self.requests[event.stream_id] = request
        if not event.end_stream:
            return
        del self.requests[event.stream_id]
        path = os.path.basename(request.split()[1].decode())
        with open(os.path.join(self.folder, path), "rb") as file:
            self._quic.send_stream_data(event.stream_id, file.read(), True)
        self.transmit()


def prefer_version_2():
    """Has this process choose version 2 wherever a client can be led to it, as RFC 9368 allows a server to."""
    from aioquic.quic import connection, packet

    pull = packet.pull_quic_transport_parameters

    def pull_preferring(buf):
        parameters = pull(buf)
        information = parameters.version_information
        if information is not None:
            information.available_versions.sort(key=lambda version: version != VERSIONS[2])
        return parameters

    connection.pull_quic_transport_parameters = pull_preferring


class Tickets:
    def __init__(self):
        self.all = {}

    def add(self, ticket):
        self.all[ticket.ticket] = ticket

    def pop(self, label):
        return self.all.pop(label, None)


async def run_server(options):
    made = configuration(options, False)
    made.load_cert_chain(options["certificate"], options["key"])
    if options.get("prefers") == 2:
        prefer_version_2()
    Server.folder = options["folder"]
    tickets = Tickets()
    server = await serve(
        options.get("host", "127.0.0.1"),
        0,
        configuration=made,
        create_protocol=Server,
        session_ticket_fetcher=tickets.pop,
        session_ticket_handler=tickets.add,
        retry=options.get("retry", False),
    )
    print(server._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


role, text = sys.argv[1:]
asyncio.run((run_client if role == "client" else run_server)(json.loads(text)))
