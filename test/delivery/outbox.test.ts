/** The outbox: exactly one worker per attempt, and another attempt when one does not end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Attempt, enqueue, type Handler, openOutbox, type OutboxKind } from '../../src/delivery/outbox.ts'
import { insertOutbox } from '../../src/storage/sql/outbox.ts'
import { onEachEngine, type Ports } from '../jobs/on-each-engine.ts'

const never = new AbortController().signal

type Handlers = Readonly<Record<OutboxKind, Handler>>

const drainOutbox = (ports: Ports, work: Handlers, signal: AbortSignal) => openOutbox(ports, work, signal).drain()

async function promise({ storage, world }: Ports, count: number): Promise<void> {
  await storage.commit({
    name: 'promise',
    *run() {
      for (let at = 0; at < count; at += 1) {
        yield enqueue(world, { kind: 'environment.forget', environmentId: world.uuid() }, world.now())
      }
    },
  })
}

function handlers(forget: Handler): Handlers {
  const unexpected: Handler = () => Promise.reject(new Error('no message of this kind was promised'))
  return {
    'environment.delete': unexpected,
    'environment.forget': forget,
    'notification.send': unexpected,
    'logout.send': unexpected,
    'backchannel.reach': unexpected,
  }
}

async function waiting({ storage }: Ports): Promise<number> {
  return (await storage.read({ text: 'SELECT id FROM outbox', values: [] })).length
}

onEachEngine('outbox', (open) => {
  test('of many workers that look at the same time, one gets each message', async () => {
    const ports = await open()
    await promise(ports, 50)
    const seen: string[] = []
    const work = handlers(async ({ id }: Attempt) => {
      seen.push(id)
      // Long enough for every worker to have read the row while it is being done.
      await ports.storage.read({ text: 'SELECT 1 AS one', values: [] })
      return 'done'
    })
    await Promise.all(Array.from({ length: 8 }, () => drainOutbox(ports, work, never)))
    assert.equal(seen.length, 50)
    assert.equal(new Set(seen).size, 50)
    assert.equal(await waiting(ports), 0)
  })

  test('a message whose handler throws waits longer each time', async () => {
    const ports = await open()
    await promise(ports, 1)
    let attempts = 0
    const work = handlers(() => {
      attempts += 1
      return Promise.reject(new Error('the other side is away'))
    })
    const waits: number[] = []
    for (let round = 0; round < 12; round += 1) {
      await drainOutbox(ports, work, never)
      let waited = 0
      const before: number = attempts
      while (attempts === before) {
        ports.world.advance(1000)
        waited += 1
        await drainOutbox(ports, work, never)
      }
      waits.push(waited)
    }
    assert.deepEqual(waits, [30, 30, 30, 30, 32, 64, 128, 256, 512, 600, 600, 600])
    assert.equal(await waiting(ports), 1)
  })

  test('a message that a dead worker had taken is taken again, and its late end does not count', async () => {
    const ports = await open()
    await promise(ports, 1)
    let release = (_: 'done') => {}
    const first = await new Promise<{ readonly drained: Promise<unknown> }>((taken) => {
      const stuck = handlers(() => {
        taken({ drained })
        return new Promise<'done'>((resolve) => (release = resolve))
      })
      const drained = drainOutbox(ports, stuck, never)
    })
    ports.world.advance(30_000)
    let secondTook = 0
    const failing = handlers(() => {
      secondTook += 1
      return Promise.reject(new Error('not yet'))
    })
    await drainOutbox(ports, failing, never)
    assert.equal(secondTook, 1)
    release('done')
    await first.drained
    assert.equal(await waiting(ports), 1, 'the second attempt owns the message now')
  })

  test('R27: what one environment waits for holds up no other, and its own goes on when there is room', async () => {
    const ports = await open()
    const { storage, world } = ports
    const slow = world.uuid()
    const quick = world.uuid()
    const promiseTo = (environmentId: string, count: number) =>
      storage.commit({
        name: 'promise',
        *run() {
          for (let at = 0; at < count; at += 1) {
            yield enqueue(world, { kind: 'environment.forget', environmentId }, world.now())
          }
        },
      })
    const waitingFor: (() => void)[] = []
    const done: string[] = []
    const work = handlers(async ({ environmentId }) => {
      if (environmentId === slow) await new Promise<void>((resolve) => waitingFor.push(resolve))
      done.push(environmentId)
      return 'done'
    })
    const outbox = openOutbox(ports, work, never)
    await promiseTo(slow, 30)
    await outbox.look()
    assert.equal(waitingFor.length, 4, 'a few at a time')
    await promiseTo(quick, 3)
    await outbox.look()
    for (let waited = 0; done.length < 3 && waited < 2000; waited += 10) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.deepEqual(done, [quick, quick, quick])
    const settled = outbox.settled()
    const letting = setInterval(() => waitingFor.splice(0).forEach((resolve) => resolve()), 1)
    await settled
    clearInterval(letting)
    assert.equal(done.length, 33)
    assert.equal(await waiting(ports), 0)
  })

  test('R27: what applications are told leaves room in their environment for what users wait for', async () => {
    const ports = await open()
    const { storage, world } = ports
    const environmentId = world.uuid()
    const promiseOf = (kind: 'logout.send' | 'notification.send', count: number) =>
      storage.commit({
        name: 'promise',
        *run() {
          for (let at = 0; at < count; at += 1) yield enqueue(world, { kind, environmentId }, world.now())
        },
      })
    const waitingFor: (() => void)[] = []
    const done: string[] = []
    const never = () => Promise.reject(new Error('no message of this kind was promised'))
    const work: Handlers = {
      ...handlers(never),
      'notification.send': async () => {
        done.push('notification')
        return 'done'
      },
      'logout.send': async () => {
        await new Promise<void>((resolve) => waitingFor.push(resolve))
        done.push('logout')
        return 'done'
      },
    }
    const outbox = openOutbox(ports, work, new AbortController().signal)
    await promiseOf('logout.send', 30)
    await outbox.look()
    assert.equal(waitingFor.length, 2, 'half of the room')
    await promiseOf('notification.send', 10)
    await outbox.look()
    for (let waited = 0; done.length < 10 && waited < 2000; waited += 10) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.deepEqual(done, Array(10).fill('notification'))
    assert.equal(waitingFor.length, 2)
    const settled = outbox.settled()
    const letting = setInterval(() => waitingFor.splice(0).forEach((resolve) => resolve()), 1)
    await settled
    clearInterval(letting)
    assert.equal(done.length, 40)
    assert.equal(await waiting(ports), 0)
  })

  test('a message that is of no use before a moment is tried then, and not before', async () => {
    const ports = await open()
    await promise(ports, 1)
    let attempts = 0
    const moment = ports.world.now() + 5_000
    const work = handlers(async () => {
      attempts += 1
      return attempts === 1 ? { notBefore: moment } : 'done'
    })
    await drainOutbox(ports, work, never)
    ports.world.advance(4_999)
    await drainOutbox(ports, work, never)
    assert.equal(attempts, 1)
    ports.world.advance(1)
    await drainOutbox(ports, work, never)
    assert.deepEqual([attempts, await waiting(ports)], [2, 0])
  })

  test('a kind that this release does not know stays for the release that does', async () => {
    const ports = await open()
    const { storage, world } = ports
    const row = {
      environment_id: world.uuid(),
      id: world.uuid(),
      kind: 'constructor',
      payload: '{}',
      attempts: 0,
      next_at: 0,
      created_at: 0,
    }
    await storage.commit({
      name: 'newer',
      *run() {
        yield insertOutbox(row)
      },
    })
    await drainOutbox(
      ports,
      handlers(async () => 'done'),
      never,
    )
    assert.equal(await waiting(ports), 1)
  })

  test('stops between two messages when it is told to', async () => {
    const ports = await open()
    await promise(ports, 3)
    const stop = new AbortController()
    const work = handlers(async () => {
      stop.abort()
      return 'done'
    })
    await drainOutbox(ports, work, stop.signal)
    assert.equal(await waiting(ports), 2)
  })
})
