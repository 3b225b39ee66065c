"""ls-qpack by aioquic's pylsqpack, as a peer that answers line by line: a command and its operands in, one line of JSON out.

open CAPACITY BLOCKED              a new decoder and a new encoder
instructions HEX                   our encoder stream: [[stream, decoder stream, fields], ...] of the streams that go on
section STREAM HEX                 our section: [stream, decoder stream, fields], or null while it is blocked
encode STREAM HEX HEX ...          fields, name and value in turn: [encoder stream, section]
acknowledge HEX                    our decoder stream: null
"""

import json
import sys

import pylsqpack


def shown(stream, answer):
    control, fields = answer
    return [stream, control.hex(), [[name.hex(), value.hex()] for name, value in fields]]


decoder = encoder = settings = None
for line in sys.stdin:
    command, *operands = line.rstrip("\n").split(" ")
    try:
        if command == "open":
            capacity, blocked = map(int, operands)
            decoder = pylsqpack.Decoder(capacity, blocked)
            encoder = pylsqpack.Encoder()
            result = encoder.apply_settings(capacity, blocked).hex()
        elif command == "instructions":
            streams = decoder.feed_encoder(bytes.fromhex(operands[0]))
            result = [shown(stream, decoder.resume_header(stream)) for stream in streams]
        elif command == "section":
            stream = int(operands[0])
            try:
                result = shown(stream, decoder.feed_header(stream, bytes.fromhex(operands[1])))
            except pylsqpack.StreamBlocked:
                result = None
        elif command == "encode":
            strings = [bytes.fromhex(text) for text in operands[1:]]
            fields = list(zip(strings[::2], strings[1::2]))
            result = [part.hex() for part in encoder.encode(int(operands[0]), fields)]
        else:
            result = encoder.feed_decoder(bytes.fromhex(operands[0]))
    except Exception as error:  # what is wrong is for the suite to say
        result = {"error": repr(error)}
    print(json.dumps(result), flush=True)
