/** The functions of `wasi_snapshot_preview1` that a server needs, as the host gives them. */

@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clockTimeGet(id: u32, precision: u64, result: usize): u32;
@external("wasi_snapshot_preview1", "random_get")
export declare function randomGet(dest: usize, len: usize): u32;
@external("wasi_snapshot_preview1", "poll_oneoff")
export declare function pollOneoff(subscriptions: usize, events: usize, count: usize, result: usize): u32;
@external("wasi_snapshot_preview1", "fd_read")
export declare function fdRead(fd: u32, vectors: usize, count: usize, result: usize): u32;
@external("wasi_snapshot_preview1", "fd_write")
export declare function fdWrite(fd: u32, vectors: usize, count: usize, result: usize): u32;
@external("wasi_snapshot_preview1", "fd_fdstat_get")
export declare function fdFdstatGet(fd: u32, result: usize): u32;
@external("wasi_snapshot_preview1", "fd_fdstat_set_flags")
export declare function fdFdstatSetFlags(fd: u32, flags: u32): u32;
@external("wasi_snapshot_preview1", "fd_close")
export declare function fdClose(fd: u32): u32;
@external("wasi_snapshot_preview1", "sock_accept")
export declare function sockAccept(fd: u32, flags: u32, result: usize): u32;
@external("wasi_snapshot_preview1", "sock_shutdown")
export declare function sockShutdown(fd: u32, how: u32): u32;
