// BullMQ, redlock and rate-limiter-flexible with their own scripts, unchanged. `node queue.mjs PORT`; prints what held and
// exits with 1 when something did not.
import assert from 'node:assert/strict';
import { Queue, QueueEvents, Worker, FlowProducer } from 'bullmq';
import IORedis from 'ioredis';
import Limiters from 'rate-limiter-flexible';
import Redlock from 'redlock';

const port = Number(process.argv[2]);
const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
const client = new IORedis(connection);
let failed = false;

async function check(name, run) {
  const started = Date.now();
  try {
    await run();
    console.log(`ok    ${name} (${Date.now() - started} ms)`);
  } catch (error) {
    failed = true;
    console.log(`FAILED ${name}: ${error.stack}`);
  }
}

const within = (ms, promise, what) =>
  Promise.race([promise, new Promise((_, no) => setTimeout(() => no(new Error(`timed out: ${what}`)), ms).unref())]);

await client.flushall();

await check('bullmq: jobs are done once, in order, with results', async () => {
  const queue = new Queue('plain', { connection });
  const events = new QueueEvents('plain', { connection });
  await events.waitUntilReady();
  const done = [];
  const worker = new Worker('plain', async (job) => { done.push(job.data.n); return job.data.n * 2; }, { connection });
  const jobs = await queue.addBulk(Array.from({ length: 50 }, (_, n) => ({ name: 'double', data: { n } })));
  const results = await within(10_000, Promise.all(jobs.map((job) => job.waitUntilFinished(events))), 'results');
  assert.deepEqual(results, Array.from({ length: 50 }, (_, n) => n * 2));
  assert.deepEqual(done, Array.from({ length: 50 }, (_, n) => n));
  assert.equal(await queue.getCompletedCount(), 50);
  await worker.close(); await events.close(); await queue.obliterate({ force: true }); await queue.close();
});

await check('bullmq: delays, priorities, retries with back-off', async () => {
  const queue = new Queue('timed', { connection });
  const order = [];
  const attempts = {};
  await queue.add('late', {}, { delay: 300 });
  await queue.add('low', {}, { priority: 10 });
  await queue.add('high', {}, { priority: 1 });
  await queue.add('flaky', {}, { attempts: 3, backoff: { type: 'fixed', delay: 50 } });
  let finish;
  const finished = new Promise((yes) => { finish = yes; });
  const worker = new Worker('timed', async (job) => {
    attempts[job.name] = (attempts[job.name] ?? 0) + 1;
    if (job.name === 'flaky' && attempts.flaky < 3) throw new Error('not yet');
    order.push(job.name);
    if (order.length === 4) finish();
  }, { connection });
  await within(10_000, finished, 'timed jobs');
  assert.equal(attempts.flaky, 3);
  assert.ok(order.indexOf('high') < order.indexOf('low'), String(order));
  await worker.close(); await queue.obliterate({ force: true }); await queue.close();
});

await check('bullmq: rate limits, pauses, repeated and deduplicated jobs, flows', async () => {
  const queue = new Queue('rich', { connection });
  await queue.upsertJobScheduler('every', { every: 200 }, { name: 'tick' });
  await queue.add('once', {}, { deduplication: { id: 'same' } });
  await queue.add('once', {}, { deduplication: { id: 'same' } });
  const flow = new FlowProducer({ connection });
  await flow.add({ name: 'parent', queueName: 'rich', children: [
    { name: 'child', queueName: 'rich', data: { n: 1 } },
    { name: 'child', queueName: 'rich', data: { n: 2 } },
  ] });
  const seen = {};
  let finish;
  const finished = new Promise((yes) => { finish = yes; });
  const worker = new Worker('rich', async (job) => {
    seen[job.name] = (seen[job.name] ?? 0) + 1;
    if (job.name === 'parent') {
      const values = Object.values(await job.getChildrenValues()).sort();
      assert.deepEqual(values, [10, 20]);
    }
    if (seen.parent && seen.tick >= 2) finish();
    return job.data.n * 10;
  }, { connection, limiter: { max: 20, duration: 100 } });
  await within(10_000, finished, 'the flow');
  assert.equal(seen.once, 1);
  assert.equal(seen.child, 2);
  await queue.pause();
  assert.equal(await queue.isPaused(), true);
  await queue.resume();
  await queue.removeJobScheduler('every');
  await worker.close(); await flow.close(); await queue.obliterate({ force: true }); await queue.close();
});

await check('redlock: one holder at a time, extended and released', async () => {
  const redlock = new Redlock([client], { retryCount: 0 });
  const lock = await redlock.acquire(['{lock}a', '{lock}b'], 2000);
  await assert.rejects(redlock.acquire(['{lock}b'], 2000));
  const longer = await lock.extend(5000);
  assert.ok((await client.pttl('{lock}a')) > 2500);
  await longer.release();
  const again = await redlock.acquire(['{lock}b'], 1000);
  await again.release();
});

await check('rate-limiter-flexible: points run out and come back', async () => {
  const limiter = new Limiters.RateLimiterRedis({ storeClient: client, points: 3, duration: 1, keyPrefix: 'limit' });
  for (const left of [2, 1, 0]) assert.equal((await limiter.consume('user')).remainingPoints, left);
  await assert.rejects(limiter.consume('user'), (result) => result.msBeforeNext > 0);
  await new Promise((go) => setTimeout(go, 1100));
  assert.equal((await limiter.consume('user')).remainingPoints, 2);
  await limiter.penalty('user', 1);
  assert.equal((await limiter.get('user')).consumedPoints, 2);
});

await check('ioredis: scripts defined by name', async () => {
  client.defineCommand('addTwice', { numberOfKeys: 1, lua: "redis.call('incrby', KEYS[1], ARGV[1]) return redis.call('incrby', KEYS[1], ARGV[1])" });
  assert.equal(await client.addTwice('sum', 5), 10);
  assert.equal(await client.addTwice('sum', 5), 20);
  const replies = await client.pipeline().addTwice('sum', 1).addTwice('sum', 1).exec();
  assert.deepEqual(replies, [[null, 22], [null, 24]]);
});

await client.quit();
process.exit(failed ? 1 : 0);
