"""aioquic's HTTP/3 client: what it is told to ask, over one connection; with wsproto, a WebSocket by extended CONNECT (RFC 9220).

    aioquic_http3.py FILE

FILE is JSON: {"port", "ca", "authority", "requests": [...], "concurrent": N, "socket": {"path", "messages"}}. Prints one line of JSON with what came back.
"""

import asyncio
import base64
import json
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3_ALPN, H3Connection, Setting
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamReset
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, TextMessage

PIECE = 16384


class Answer:
    def __init__(self):
        self.heads = []
        self.content = bytearray()
        self.trailers = None
        self.done = asyncio.get_running_loop().create_future()
        self.head = asyncio.get_running_loop().create_future()
        self.on_data = None

    def report(self):
        return {
            "informational": self.heads[:-1],
            "fields": self.heads[-1],
            "content": base64.b64encode(self.content).decode(),
            "trailers": self.trailers,
        }


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **rest):
        super().__init__(*args, **rest)
        self.http = H3Connection(self._quic)
        self.answers = {}
        self.is_over = False

    def quic_event_received(self, event):
        if isinstance(event, StreamReset) and event.stream_id in self.answers:
            self.fail(self.answers[event.stream_id], f"reset with {event.error_code:#x}")
        if isinstance(event, ConnectionTerminated):
            self.is_over = True
            for answer in self.answers.values():
                self.fail(answer, f"the connection ended with {event.error_code:#x} {event.reason_phrase}")
        for told in self.http.handle_event(event):
            self.told(told)

    def fail(self, answer, why):
        for waiting in (answer.head, answer.done):
            if not waiting.done():
                waiting.set_exception(RuntimeError(why))
                waiting.exception()

    def told(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if answer is None:
            return
        if isinstance(event, HeadersReceived):
            fields = [[name.decode(), value.decode()] for name, value in event.headers]
            if answer.head.done():
                answer.trailers = fields
            else:
                answer.heads.append(fields)
                if not fields[0][1].startswith("1"):
                    answer.head.set_result(fields)
        elif isinstance(event, DataReceived):
            answer.content += event.data
            if answer.on_data is not None:
                answer.on_data(event.data, event.stream_ended)
        if event.stream_ended and not answer.done.done():
            answer.done.set_result(None)

    def begin(self, fields, is_last):
        if self.is_over:
            raise RuntimeError("the connection is over")
        stream = self._quic.get_next_available_stream_id()
        self.answers[stream] = answer = Answer()
        lines = [(name.encode(), value.encode()) for name, value in fields]
        self.http.send_headers(stream, lines, is_last)
        return stream, answer

    async def ask(self, authority, request):
        body = base64.b64decode(request["body"]) if "body" in request else None
        if "zeros" in request:
            body = bytes(request["zeros"])
        trailers = request.get("trailers", [])
        fields = [
            (":method", request.get("method", "GET")),
            (":scheme", "https"),
            (":authority", authority),
            (":path", request["path"]),
            *request.get("headers", []),
        ]
        stream, answer = self.begin(fields, body is None and not trailers)
        if body is not None:
            for at in range(0, max(len(body), 1), PIECE):
                is_last = at + PIECE >= len(body) and not trailers
                self.http.send_data(stream, body[at : at + PIECE], is_last)
        if trailers:
            lines = [(name.encode(), value.encode()) for name, value in trailers]
            self.http.send_headers(stream, lines, True)
        self.transmit()
        await asyncio.wait_for(answer.done, 15)
        return answer.report()

    async def socket(self, authority, asked):
        while self.http.received_settings is None:
            await asyncio.sleep(0.01)
        allowed = self.http.received_settings.get(Setting.ENABLE_CONNECT_PROTOCOL)
        stream, answer = self.begin(
            [
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                (":scheme", "https"),
                (":authority", authority),
                (":path", asked["path"]),
                ("sec-websocket-version", "13"),
            ],
            False,
        )
        frames = Connection(ConnectionType.CLIENT)
        echoed, closed = [], asyncio.get_running_loop().create_future()
        whole = []

        def on_data(data, is_last):
            if data:
                frames.receive_data(data)
            for event in frames.events():
                if isinstance(event, (TextMessage, BytesMessage)):
                    whole.append(event.data if isinstance(event.data, str) else bytes(event.data))
                    if event.message_finished:
                        joined = "".join(whole) if isinstance(whole[0], str) else b"".join(whole)
                        echoed.append(len(joined) if len(joined) > 1000 else str(joined))
                        whole.clear()
                elif isinstance(event, CloseConnection) and not closed.done():
                    closed.set_result(event.code)

        answer.on_data = on_data
        self.transmit()
        head = await asyncio.wait_for(answer.head, 10)
        for message in asked["messages"]:
            is_text = isinstance(message, str)
            made = TextMessage(data=message) if is_text else BytesMessage(data=bytes(message))
            self.http.send_data(stream, frames.send(made), False)
            self.transmit()
        for _ in range(1000):
            if len(echoed) == len(asked["messages"]):
                break
            await asyncio.sleep(0.01)
        self.http.send_data(stream, frames.send(CloseConnection(code=1000)), False)
        self.transmit()
        code = await asyncio.wait_for(closed, 10)
        self.http.send_data(stream, b"", True)
        self.transmit()
        await asyncio.wait_for(answer.done, 10)
        return {"allowed": allowed, "status": dict(head)[":status"], "echoed": echoed, "code": code}


async def main(asked):
    made = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="localhost")
    made.load_verify_locations(asked["ca"])
    async with connect("127.0.0.1", asked["port"], configuration=made, create_protocol=Client) as client:
        authority = asked["authority"]
        answers = []
        for request in asked.get("requests", []):
            try:
                answers.append(await client.ask(authority, request))
            except Exception as error:
                answers.append({"error": repr(error)})
        together = [client.ask(authority, {"path": f"/users/{at}"}) for at in range(asked.get("concurrent", 0))]
        report = {"answers": answers, "together": list(await asyncio.gather(*together))}
        if "socket" in asked:
            report["socket"] = await client.socket(authority, asked["socket"])
        print(json.dumps(report))


with open(sys.argv[1]) as file:
    given = json.load(file)
asyncio.run(main(given))
