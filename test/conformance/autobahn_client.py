"""Runs the cases of the Autobahn test suite against a WebSocket server and prints a line of JSON for each.

    python autobahn_client.py URL CONCURRENCY [CASE ...]

The suite on PyPI is written for Python 2 and brings its own reports. Only its cases are used here: each module is read as what
it is, with the few constructs that Python 3 lacks replaced, and its strings, which were bytes, are taken as Latin-1 of the same
bytes. Around them is what a case needs of its protocol, after the suite's fuzzing client.
"""

import ast
import binascii
import builtins
import importlib.abc
import importlib.util
import json
import os
import re
import sys

import txaio
import zope.interface
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn.websocket import utf8validator
from twisted.internet import reactor

txaio.use_twisted()

URL, CONCURRENCY, WANTED = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
LONGEST_CASE_S = 600


def as_bytes(text):
    return text.encode("latin-1") if isinstance(text, str) else text


class WholeDivision(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            node.op = ast.FloorDiv()
        return node


class CaseLoader(importlib.abc.SourceLoader):
    def __init__(self, path):
        self.path = path

    def get_filename(self, _name):
        return self.path

    def get_data(self, path):
        with open(path, "rb") as file:
            return file.read()

    def source_to_code(self, data, path="<string>", **_rest):
        text = data.decode("latin-1")
        text = re.sub(r"^#.*coding.*$", "", text, count=1, flags=re.M)
        text = re.sub(r"^(\s*)print (.*)$", r"\1print(\2)", text, flags=re.M)
        text = text.replace("(object, Case", "(Case")
        tree = WholeDivision().visit(ast.parse(text, path))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def path_stats(self, path):
        raise OSError("never cached")


class CaseFinder(importlib.abc.MetaPathFinder):
    def __init__(self, folder):
        self.folder = folder

    def find_spec(self, name, _path, _target=None):
        file = "__init__" if name == "autobahn_cases" else name
        path = os.path.join(self.folder, file + ".py")
        if "." in name or not os.path.exists(path):
            return None
        return importlib.util.spec_from_loader(name, CaseLoader(path))


class Protocol(WebSocketClientProtocol):
    """What the cases call; their strings become bytes on the way out, and bytes strings on the way in."""

    createWirelog = False
    connectionWasOpen = False
    has_connected = False

    def connectionMade(self):
        self.has_connected = True
        self.txFrameStats = {}
        WebSocketClientProtocol.connectionMade(self)
        reactor.callLater(LONGEST_CASE_S, self.executeKillAfter)

    def connectionLost(self, reason):
        WebSocketClientProtocol.connectionLost(self, reason)
        self.runCase.onConnectionLost(self.failedByMe)
        self.factory.report(self.runCase)

    def onOpen(self):
        self.connectionWasOpen = True
        self.runCase.onOpen()

    def onMessage(self, payload, isBinary):
        self.runCase.onMessage(payload if self.takes_bytes else payload.decode("latin-1"), isBinary)

    def onPing(self, payload):
        self.runCase.onPing(payload.decode("latin-1"))
        self.sendPong(payload)

    def onPong(self, payload):
        self.runCase.onPong(payload.decode("latin-1"))

    def onClose(self, wasClean, code, reason):
        self.runCase.onClose(wasClean, code, reason)

    def enableWirelog(self, _enable):
        pass

    def logTxFrame(self, frameHeader, _payload, _repeatLength, _chopsize, _sync):
        self.txFrameStats[frameHeader.opcode] = self.txFrameStats.get(frameHeader.opcode, 0) + 1

    def logRxFrame(self, _frameHeader, _payload):
        pass

    def logTxOctets(self, _data, _sync):
        pass

    def logRxOctets(self, _data):
        pass

    def continueLater(self, delay, fun, tag=None):
        reactor.callLater(delay, lambda: self.state != self.STATE_CLOSED and fun())

    def executeKillAfter(self):
        if self.state != self.STATE_CLOSED:
            self.failConnection()

    def killAfter(self, delay):
        reactor.callLater(delay, self.executeKillAfter)

    def closeAfter(self, delay):
        reactor.callLater(delay, lambda: self.state != self.STATE_CLOSED and self.sendClose())

    def sendFrame(self, opcode, payload=b"", payload_len=None, **rest):
        payload = as_bytes(payload)
        if payload_len is not None:
            payload = (payload * (payload_len // len(payload) + 1))[:payload_len]
        WebSocketClientProtocol.sendFrame(self, opcode, payload, **rest)

    def sendMessage(self, payload, isBinary=False, **rest):
        WebSocketClientProtocol.sendMessage(self, as_bytes(payload), isBinary, **rest)

    def sendMessageFrameData(self, payload, sync=False):
        return WebSocketClientProtocol.sendMessageFrameData(self, as_bytes(payload), sync)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        reason = as_bytes(reasonUtf8) if reasonUtf8 is not None else None
        WebSocketClientProtocol.sendCloseFrame(self, code, reason, isReply)


class TextValidator(utf8validator.Utf8Validator):
    """The validator reads bytes; the cases call it with theirs, which are text here."""

    def validate(self, data):
        return super().validate(as_bytes(data))


class Factory(WebSocketClientFactory):
    protocol = Protocol

    def __init__(self, case_class, number, done):
        WebSocketClientFactory.__init__(self, url=URL)
        self.setProtocolOptions(failByDrop=False)
        self.logFrames = True
        self.case_class = case_class
        self.number = number
        self.done = done

    def buildProtocol(self, addr):
        protocol = Protocol()
        protocol.factory = self
        protocol.takes_bytes = self.number.split(".")[0] in ("12", "13")
        protocol.runCase = self.case_class(protocol)
        return protocol

    def clientConnectionFailed(self, _connector, reason):
        self.tell({"behavior": "FAILED", "close": "FAILED", "why": reason.getErrorMessage()})

    def report(self, case):
        why = case.result if case.behavior not in ("OK", "INFORMATIONAL") else case.resultClose
        self.tell({"behavior": case.behavior, "close": case.behaviorClose, "why": why})

    def tell(self, line):
        print(json.dumps({"case": self.number, **line}), flush=True)
        self.done()


def load_cases():
    builtins.xrange = range
    builtins.unichr = chr
    hex_of = binascii.b2a_hex
    binascii.b2a_hex = lambda data: hex_of(as_bytes(data)).decode("ascii")
    utf8validator.Utf8Validator = TextValidator
    # A case that is not in the list declares its interface in a way that only Python 2 has.
    zope.interface.implements = lambda *_interfaces: None
    package = importlib.util.find_spec("autobahntestsuite").submodule_search_locations[0]
    # Its own __init__ is for Python 2 as well; pkg_resources only wants to find the folder.
    suite = importlib.util.module_from_spec(importlib.machinery.ModuleSpec("autobahntestsuite", None, is_package=True))
    suite.__path__ = [package]
    suite.__file__ = os.path.join(package, "__init__.py")
    sys.modules["autobahntestsuite"] = suite
    sys.meta_path.insert(0, CaseFinder(os.path.join(package, "case")))
    return __import__("autobahn_cases").Cases


def main():
    queue = []
    for case_class in load_cases():
        number = ".".join(case_class.__name__[len("Case"):].split("_"))
        if not WANTED or any(number == one or number.startswith(one + ".") for one in WANTED):
            queue.append((number, case_class))
    # The longest first, so that none of them is alone at the end.
    queue.sort(key=lambda item: item[0].split(".")[0] not in ("9", "12", "13"), reverse=True)
    running = len(queue)
    if running == 0:
        sys.exit("no such case")

    def next_case():
        if queue:
            number, case_class = queue.pop()
            reactor.connectTCP("127.0.0.1", port, Factory(case_class, number, done))

    def done():
        nonlocal running
        running -= 1
        if running == 0:
            reactor.stop()
        else:
            reactor.callLater(0, next_case)

    port = int(re.search(r":(\d+)", URL.split("//", 1)[1]).group(1))
    for _ in range(min(CONCURRENCY, running)):
        reactor.callWhenRunning(next_case)
    reactor.run()


main()
