"""redis-py's Lock, django-redis's cache and lock, and a reliable queue as Sidekiq keeps it, with their own scripts.
`python3 locks.py PORT`; prints what held and exits with 1 when something did not."""
import sys
import threading
import time
import traceback

import redis

port = int(sys.argv[1])
client = redis.Redis(port=port)
failed = False


def check(name, run):
    global failed
    started = time.monotonic()
    try:
        run()
        print(f"ok    {name} ({(time.monotonic() - started) * 1000:.0f} ms)")
    except Exception:
        failed = True
        print(f"FAILED {name}: {traceback.format_exc()}")


def raises(kind, run):
    try:
        run()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was expected")


def locks():
    lock = client.lock("lock", timeout=5)
    assert lock.acquire(blocking=False)
    assert not client.lock("lock", timeout=5).acquire(blocking=False)
    assert lock.owned() and lock.locked()
    lock.extend(10)
    assert 10 < client.pttl("lock") / 1000 <= 15
    lock.extend(3, replace_ttl=True)
    assert client.pttl("lock") <= 3000
    lock.reacquire()
    assert 3000 < client.pttl("lock") <= 5000
    lock.release()
    raises(redis.exceptions.LockError, lock.release)
    short = client.lock("lock", timeout=0.1)
    assert short.acquire()
    time.sleep(0.2)
    raises(redis.exceptions.LockNotOwnedError, short.release)


def contended():
    total, inside = [0], [0]

    def work():
        own = redis.Redis(port=port)
        for _ in range(20):
            with own.lock("contended", timeout=5, sleep=0.001):
                inside[0] += 1
                assert inside[0] == 1, "two holders"
                total[0] += 1
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total[0] == 100


def registered():
    client.script_flush()
    script = client.register_script("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}")
    assert script(keys=["n"], args=["x"]) == [b"n", b"x", 1]
    client.script_flush()
    assert script(keys=["n"], args=["x"]) == [b"n", b"x", 2]
    with client.pipeline() as pipe:
        script(keys=["n"], args=["y"], client=pipe)
        pipe.get("n")
        assert pipe.execute() == [[b"n", b"y", 3], b"3"]
    raises(redis.exceptions.ResponseError, lambda: client.eval("return redis.call('INCR', KEYS[1], 2)", 1, "n"))
    client.function_load("#!lua name=lib\nredis.register_function('double', function(k, a) return a[1] * 2 end)", replace=True)
    assert client.fcall("double", 0, 21) == 42
    dump = client.function_dump()
    client.function_flush()
    client.function_restore(dump)
    assert client.fcall("double", 0, 4) == 8


def django_cache():
    import django
    from django.conf import settings

    settings.configure(
        CACHES={
            "default": {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": f"redis://127.0.0.1:{port}/1",
            }
        }
    )
    django.setup()
    from django.core.cache import cache

    cache.set("a", {"b": [1, 2]}, timeout=10)
    assert cache.get("a") == {"b": [1, 2]}
    assert cache.add("a", 1) is False
    cache.set("count", 1)
    assert cache.incr("count", 5) == 6
    assert cache.decr("count") == 5
    raises(ValueError, lambda: cache.incr("missing"))
    with cache.lock("section", timeout=5):
        assert not cache.lock("section", timeout=5).acquire(blocking=False)
    cache.set_many({f"many{i}": i for i in range(20)})
    assert cache.delete_pattern("many*") == 20
    assert cache.ttl("a") <= 10 and cache.persist("a") and cache.ttl("a") is None
    cache.clear()


# As Sidekiq's scheduler takes what is due, and as its super_fetch takes back what a dead worker left.
DUE = """
local key, now = KEYS[1], ARGV[1]
local jobs = redis.call("zrange", key, "-inf", now, "byscore", "limit", 0, 1)
if jobs[1] then
  redis.call("zrem", key, jobs[1])
  return jobs[1]
end
"""
REQUEUE = """
local moved = 0
while true do
  local job = redis.call('RPOPLPUSH', KEYS[1], KEYS[2])
  if not job then return moved end
  local ok, decoded = pcall(cjson.decode, job)
  if ok and decoded.retry == false then redis.call('LREM', KEYS[2], 1, job) else moved = moved + 1 end
end
"""


def reliable_queue():
    due = client.register_script(DUE)
    now = time.time()
    client.zadd("schedule", {f'{{"jid":{i}}}': now + i - 2 for i in range(5)})
    taken = [due(keys=["schedule"], args=[now]) for _ in range(4)]
    assert taken == [b'{"jid":0}', b'{"jid":1}', b'{"jid":2}', None], taken
    client.rpush("private", '{"jid":1}', '{"jid":2,"retry":false}', "not json")
    assert client.register_script(REQUEUE)(keys=["private", "queue"]) == 2
    assert client.llen("queue") == 2 and client.llen("private") == 0


client.flushall()
check("redis-py: locks", locks)
check("redis-py: a contended lock has one holder", contended)
check("redis-py: registered scripts, functions, dump and restore", registered)
check("django-redis: cache and lock", django_cache)
check("queue: scheduled and orphaned jobs", reliable_queue)
sys.exit(1 if failed else 0)
