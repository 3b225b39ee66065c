"""A server of WebTransport made of aioquic's H3Connection.

    aioquic_web_transport.py CERTIFICATE KEY

Prints its port, then each capsule of a session's stream in hexadecimal. A session echoes streams both ways, answers a stream one way with
one of its own, and echoes datagrams. Paths: /early opens a stream before the session is accepted, /server opens one both ways, /drain asks
for the end, /close closes with code 7, /cut closes the connection, and anything beginning with /refused is answered 404.
"""

import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, DatagramReceived, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration

CLOSE = bytes.fromhex("6843")
DRAIN = bytes.fromhex("800078ae00")


class Server(QuicConnectionProtocol):
    def __init__(self, *args, **rest):
        super().__init__(*args, **rest)
        self.http = None
        self.pieces = {}

    def quic_event_received(self, event):
        if self.http is None:
            self.http = H3Connection(self._quic, enable_webtransport=True)
        for told in self.http.handle_event(event):
            self.told(told)
        self.transmit()

    def told(self, event):
        if isinstance(event, HeadersReceived):
            self.asked(event.stream_id, dict(event.headers))
        elif isinstance(event, DatagramReceived):
            self.http.send_datagram(event.stream_id, event.data)
        elif isinstance(event, WebTransportStreamDataReceived):
            self.received(event)
        elif isinstance(event, DataReceived):
            if event.data:
                print("capsule", event.data.hex(), flush=True)
            if event.stream_ended:
                self.http.send_data(event.stream_id, b"", True)

    def received(self, event):
        stream = event.stream_id
        if stream % 4 == 0:
            self._quic.send_stream_data(stream, event.data, event.stream_ended)
            return
        self.pieces[stream] = self.pieces.get(stream, b"") + event.data
        if event.stream_ended and stream % 4 == 2:
            self.open(event.session_id, True, self.pieces.pop(stream))

    def open(self, session, is_unidirectional, content):
        stream = self.http.create_webtransport_stream(session, is_unidirectional)
        self._quic.send_stream_data(stream, content, is_unidirectional)

    def asked(self, session, fields):
        path = fields[b":path"].decode()
        if fields.get(b":protocol") != b"webtransport" or path.startswith("/refused"):
            self.http.send_headers(session, [(b":status", b"404")], True)
            return
        if path == "/early":
            self.open(session, True, b"early")
            self.transmit()
            asyncio.get_running_loop().call_later(0.1, self.accept, session, path)
        else:
            self.accept(session, path)

    def accept(self, session, path):
        self.http.send_headers(session, [(b":status", b"200"), (b"sec-webtransport-http3-draft", b"draft02")])
        if path == "/server":
            self.open(session, False, b"from the server")
        elif path == "/drain":
            self.http.send_data(session, DRAIN, False)
        elif path == "/close":
            self.http.send_data(session, CLOSE + bytes([8, 0, 0, 0, 7]) + b"done", True)
        elif path == "/cut":
            self._quic.close(error_code=0x102, reason_phrase="cut")
        self.transmit()


async def main(certificate, key):
    made = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN, max_datagram_frame_size=65536)
    made.load_cert_chain(certificate, key)
    server = await serve("127.0.0.1", 0, configuration=made, create_protocol=Server)
    print("port", server._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
