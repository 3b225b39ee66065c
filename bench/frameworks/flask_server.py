"""Flask under gunicorn: one worker with threads, since its plain worker closes the connection after each answer."""

from common import ITEMS, end_with_parent, ready
from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication

app = Flask(__name__)
app.json.compact = True
app.json.sort_keys = False


@app.get("/")
def text():
    return Response("Hello, World!", mimetype="text/plain")


@app.get("/json")
def json():
    return jsonify(message="Hello, World!")


@app.get("/items/<id>")
def item(id):
    return jsonify(id=id)


@app.post("/echo")
def echo():
    return Response(request.get_data(), mimetype="application/octet-stream")


@app.get("/large")
def large():
    return jsonify(ITEMS)


class Server(BaseApplication):
    def load_config(self):
        for name, value in {
            "bind": "127.0.0.1:0",
            "workers": 1,
            "worker_class": "gthread",
            "threads": 8,
            "worker_connections": 1000,
            "keepalive": 60,
            "loglevel": "error",
            "when_ready": lambda server: ready(server.LISTENERS[0].sock.getsockname()[1]),
            "post_fork": lambda server, worker: end_with_parent(),
        }.items():
            self.cfg.set(name, value)

    def load(self):
        return app


end_with_parent()
Server().run()
