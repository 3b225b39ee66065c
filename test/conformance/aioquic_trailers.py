"""aioquic's HTTP/3 server with one row: content, a pause, trailers, and the end of the stream where the query says.

    aioquic_trailers.py '{"certificate": ..., "key": ...}'

Prints its port, then serves until it is ended.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration


class Server(QuicConnectionProtocol):
    def __init__(self, *args, **rest):
        super().__init__(*args, **rest)
        self.http = H3Connection(self._quic)

    def quic_event_received(self, event):
        for told in self.http.handle_event(event):
            if isinstance(told, HeadersReceived):
                asyncio.ensure_future(self.answer(told))

    async def answer(self, asked):
        fields = dict(asked.headers)
        query = parse_qs(urlsplit(fields[b":path"].decode()).query)
        pause, end = float(query.get("pause", ["0"])[0]), query.get("end", ["with"])[0]
        stream = asked.stream_id
        self.http.send_headers(stream, [(b":status", b"200"), (b"content-type", b"text/html")])
        self.http.send_data(stream, b"content", end_stream=end == "without")
        if end == "without":
            return self.transmit()
        if pause > 0:
            self.transmit()
            await asyncio.sleep(pause)
        self.http.send_headers(stream, [(b"x-checksum", b"1")], end_stream=end == "with")
        self.transmit()
        if end == "later":
            await asyncio.sleep(float(query["wait"][0]))
        if end != "with":
            self._quic.send_stream_data(stream, b"", end_stream=True)
            self.transmit()


async def main(options):
    made = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    made.load_cert_chain(options["certificate"], options["key"])
    server = await serve("127.0.0.1", 0, configuration=made, create_protocol=Server)
    print(server._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main(json.loads(sys.argv[1])))
