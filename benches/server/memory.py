#!/usr/bin/env python3
"""memory.py COMMAND_A COMMAND_B …  - resident memory per item, by type, of servers that it starts itself.

Each server is started anew for each type, filled, and the growth of its resident memory divided by the number of items.
In a command, {port} stands for the port to listen on. Needs redis-py. env: N=200000 (keys or members)

    benches/server/memory.py "redis-server --port {port} --save ''" "target/release/resplay serve --port {port} --http-port 0"
"""
import os, shlex, socket, subprocess, sys, time, redis

commands = sys.argv[1:]
if not commands:
    sys.exit(__doc__)
N = int(os.environ.get("N", "200000"))


def start(command):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = shlex.split(command.replace("{port}", str(port)))
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)
    for _ in range(500):
        try:
            client.ping()
            return process, client
        except redis.ConnectionError:
            time.sleep(0.01)
    sys.exit(f"{command}: does not answer")


def resident_bytes(process):
    with open(f"/proc/{process.pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Rss:"))


def strings(i):
    return ("SET", f"key:{i:06}", "v" * 32)


def strings_with_ttl(i):
    return ("SET", f"key:{i:06}", "v" * 32, "EX", "100000")


def small_hashes(i):
    return ("HSET", f"h:{i // 10}", f"field:{i}", f"value:{i}")


def one_hash(i):
    return ("HSET", "h", f"field:{i}", f"value:{i}")


def one_list(i):
    return ("RPUSH", "l", f"value:{i:06}")


def one_set(i):
    return ("SADD", "s", f"member:{i}")


def one_sorted_set(i):
    return ("ZADD", "z", str(i * 7919 % N), f"member:{i}")


KINDS = [strings, strings_with_ttl, small_hashes, one_hash, one_list, one_set, one_sorted_set]
names = [os.path.basename(shlex.split(command)[0]) for command in commands]
print(f"bytes of resident memory per item, {N} items\n")
print(f"{'':20}" + "".join(f"{name:>14}" for name in names) + f"{'ratio':>9}")
for kind in KINDS:
    row = []
    for command in commands:
        process, client = start(command)
        before = resident_bytes(process)
        pipe = client.pipeline(transaction=False)
        for i in range(N):
            pipe.execute_command(*kind(i))
            if i % 1000 == 999:
                pipe.execute()
        pipe.execute()
        row.append((resident_bytes(process) - before) / N)
        process.kill()
        process.wait()
    label = kind.__name__.replace("_", " ")
    print(f"{label:20}" + "".join(f"{value:14.1f}" for value in row) + f"{row[-1] / row[0]:9.2f}")
