"""aioquic's HTTP/3 server with nothing on top of it: every request is answered `Hello, World!`.

    aioquic_http3.py CERTIFICATE KEY

aioquic's own example, http3_server.py, runs an ASGI application on the same classes and is slower. Prints `ready PORT`.
"""

import asyncio
import sys

import uvloop
from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated

HEAD = [(b":status", b"200"), (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"13")]


class Server(QuicConnectionProtocol):
    http = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
        if self.http is None:
            return
        for told in self.http.handle_event(event):
            if isinstance(told, HeadersReceived):
                self.http.send_headers(told.stream_id, HEAD)
                self.http.send_data(told.stream_id, b"Hello, World!", True)


async def main(certificate, key):
    made = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    made.load_cert_chain(certificate, key)
    server = await serve("127.0.0.1", 0, configuration=made, create_protocol=Server)
    print(f"ready {server._transport.get_extra_info('sockname')[1]}", flush=True)
    await asyncio.Future()


uvloop.run(main(*sys.argv[1:]))
