"""Starlette under uvicorn: one process, no access log.

With the argument "plain" on the parts that uvicorn has by itself (asyncio, h11), otherwise on those that
`uvicorn[standard]` adds, which are its fastest (uvloop, httptools).
"""

import sys

import uvicorn
from common import ITEMS, end_with_parent, ready
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute


async def text(_request):
    return PlainTextResponse("Hello, World!")


async def json(_request):
    return JSONResponse({"message": "Hello, World!"})


async def item(request):
    return JSONResponse({"id": request.path_params["id"]})


async def echo(request):
    return Response(await request.body(), media_type="application/octet-stream")


async def large(_request):
    return JSONResponse(ITEMS)


async def echo_socket(websocket):
    await websocket.accept()
    while True:
        message = await websocket.receive()
        if message["type"] != "websocket.receive":
            return
        await websocket.send({"type": "websocket.send", "bytes": message.get("bytes")})


app = Starlette(
    routes=[
        Route("/", text),
        Route("/json", json),
        Route("/items/{id}", item),
        Route("/echo", echo, methods=["POST"]),
        Route("/large", large),
        WebSocketRoute("/echo", echo_socket),
    ]
)


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        ready(self.servers[0].sockets[0].getsockname()[1])


IS_PLAIN = "plain" in sys.argv[1:]

end_with_parent()
Server(
    uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        loop="asyncio" if IS_PLAIN else "uvloop",
        http="h11" if IS_PLAIN else "httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_level="error",
        access_log=False,
        lifespan="off",
        backlog=2048,
    )
).run()
