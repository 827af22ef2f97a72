#!/usr/bin/env python3
"""scripts.py PORT_A PORT_B: scripts of about a thousand redis.call, in alternation, on two servers that listen already.
Prints the best time of a script on each, and how many times faster B is than A. One request at a time; the best of ROUNDS=5."""
import os
import socket
import sys
import time

ports = [int(port) for port in sys.argv[1:]]
if len(ports) != 2:
    sys.exit(__doc__)
ROUNDS = int(os.environ.get("ROUNDS", "5"))

SCRIPTS = {
    "1000 SET": "for i = 1, 1000 do redis.call('SET', KEYS[1] .. i, ARGV[1]) end return 1",
    "1000 GET": "local n = 0 for i = 1, 1000 do if redis.call('GET', KEYS[1] .. i) then n = n + 1 end end return n",
    "1000 INCR": "for i = 1, 1000 do redis.call('INCR', KEYS[1] .. 'n') end return 1",
    "1000 HSET": "for i = 1, 1000 do redis.call('HSET', KEYS[1] .. 'h', i % 100, i) end return 1",
    "1000 ZADD": "for i = 1, 1000 do redis.call('ZADD', KEYS[1] .. 'z', i, i % 200) end return 1",
    "500 LPUSH and RPOP": "for i = 1, 500 do redis.call('LPUSH', KEYS[1] .. 'l', i) redis.call('RPOP', KEYS[1] .. 'l') end return 1",
    "100 HGETALL of 100": "local n = 0 for i = 1, 100 do n = n + #redis.call('HGETALL', KEYS[1] .. 'h') end return n",
    "one GET": "return redis.call('GET', KEYS[1])",
    "return 1": "return 1",
}


def connect(port):
    stream = socket.create_connection(("127.0.0.1", port))
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def request(*words):
    words = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def seconds(stream, bytes_, count):
    started = time.perf_counter()
    for _ in range(count):
        stream.sendall(bytes_)
        reply = stream.recv(65536)
        if reply[:1] == b"-":
            sys.exit(reply.decode())
    return (time.perf_counter() - started) / count


streams = [connect(port) for port in ports]
for stream in streams:
    seconds(stream, request("FLUSHALL"), 1)
product = 1.0
for name, script in SCRIPTS.items():
    count = 60 if name[0].isdigit() else 4000
    best = [min(seconds(stream, request("EVAL", script, 1, "key", "value"), count) for _ in range(1)) for stream in streams]
    for _ in range(ROUNDS - 1):
        best = [min(old, seconds(stream, request("EVAL", script, 1, "key", "value"), count)) for old, stream in zip(best, streams)]
    product *= best[0] / best[1]
    print(f"{name:20} {best[0] * 1e6:9.1f} µs {best[1] * 1e6:9.1f} µs  {best[0] / best[1]:.2f}")
print(f"geometric mean {product ** (1 / len(SCRIPTS)):.2f}")
