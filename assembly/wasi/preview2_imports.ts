/**
 * The functions of WASI 0.2 that a server needs, in the flat form that the canonical ABI gives them. world.wit has the same list
 * with types; how results lie in memory is said in preview2.ts.
 */

@external("wasi:clocks/monotonic-clock@0.2.0", "now")
export declare function monotonicNow(): u64;
@external("wasi:clocks/monotonic-clock@0.2.0", "subscribe-duration")
export declare function subscribeDuration(nanoseconds: u64): u32;
@external("wasi:clocks/wall-clock@0.2.0", "now")
export declare function wallClockNow(result: usize): void;
@external("wasi:random/random@0.2.0", "get-random-u64")
export declare function randomU64(): u64;
@external("wasi:cli/environment@0.2.0", "get-environment")
export declare function getEnvironment(result: usize): void;
@external("wasi:cli/stdout@0.2.0", "get-stdout")
export declare function getStdout(): u32;
@external("wasi:io/poll@0.2.0", "poll")
export declare function pollAll(pollables: usize, count: usize, result: usize): void;
@external("wasi:io/poll@0.2.0", "[method]pollable.block")
export declare function pollableBlock(pollable: u32): void;
@external("wasi:io/poll@0.2.0", "[resource-drop]pollable")
export declare function pollableDrop(pollable: u32): void;
@external("wasi:io/error@0.2.0", "[resource-drop]error")
export declare function errorDrop(error: u32): void;
@external("wasi:io/streams@0.2.0", "[method]input-stream.read")
export declare function inputRead(stream: u32, len: u64, result: usize): void;
@external("wasi:io/streams@0.2.0", "[method]input-stream.subscribe")
export declare function inputSubscribe(stream: u32): u32;
@external("wasi:io/streams@0.2.0", "[resource-drop]input-stream")
export declare function inputDrop(stream: u32): void;
@external("wasi:io/streams@0.2.0", "[method]output-stream.check-write")
export declare function outputCheckWrite(stream: u32, result: usize): void;
@external("wasi:io/streams@0.2.0", "[method]output-stream.write")
export declare function outputWrite(stream: u32, ptr: usize, len: usize, result: usize): void;
@external("wasi:io/streams@0.2.0", "[method]output-stream.blocking-write-and-flush")
export declare function outputWriteAndFlush(stream: u32, ptr: usize, len: usize, result: usize): void;
@external("wasi:io/streams@0.2.0", "[method]output-stream.subscribe")
export declare function outputSubscribe(stream: u32): u32;
@external("wasi:io/streams@0.2.0", "[resource-drop]output-stream")
export declare function outputDrop(stream: u32): void;
@external("wasi:sockets/instance-network@0.2.0", "instance-network")
export declare function instanceNetwork(): u32;
@external("wasi:sockets/tcp-create-socket@0.2.0", "create-tcp-socket")
export declare function createTcpSocket(family: u32, result: usize): void;
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.start-bind")
export declare function startBind(socket: u32, network: u32, family: u32, port: u32, a0: u32, a1: u32, a2: u32, a3: u32,
  unused4: u32, unused5: u32, unused6: u32, unused7: u32, unused8: u32, unused9: u32, result: usize): void;
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.finish-bind")
export declare function finishBind(socket: u32, result: usize): void;
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.start-listen")
export declare function startListen(socket: u32, result: usize): void;
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.finish-listen")
export declare function finishListen(socket: u32, result: usize): void;
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.set-listen-backlog-size")
export declare function setListenBacklogSize(socket: u32, count: u64, result: usize): void;
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.accept")
export declare function socketAccept(socket: u32, result: usize): void;
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.local-address")
export declare function localAddress(socket: u32, result: usize): void;
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.subscribe")
export declare function socketSubscribe(socket: u32): u32;
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.shutdown")
export declare function socketShutdown(socket: u32, how: u32, result: usize): void;
@external("wasi:sockets/tcp@0.2.0", "[resource-drop]tcp-socket")
export declare function socketDrop(socket: u32): void;
