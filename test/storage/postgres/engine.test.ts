/** What the PostgreSQL engine promises beyond the conformance suite: what happens when the database or the network does not. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import { migrate } from '../../../src/storage/migrate.ts'
import { insert, update } from '../../../src/storage/operations.ts'
import { run, type Statement, type Storage, StorageUnavailable, type UnitBody } from '../../../src/storage/port.ts'
import { openPostgres } from '../../../src/storage/postgres/engine.ts'
import { realWorld } from '../../../src/world.ts'
import { absent } from '../absent.ts'
import { tables } from '../conformance.ts'
import { administer, type PostgresCluster, startOwnPostgres } from '../postgres-cluster.ts'
import { type CuttingProxy, startProxy } from './cutting-proxy.ts'

const environment_id = 'faults'

function faults(cluster: PostgresCluster): void {
  let url: string
  let proxy: CuttingProxy
  let store: Storage
  /** A second way in, which the faults do not touch. */
  let direct: Storage
  const closing: (() => Promise<void>)[] = [() => cluster.stop()]

  before(async () => {
    url = await cluster.createDatabase()
    proxy = await startProxy(url)
    closing.unshift(() => proxy.close())
    store = await openPostgres({ connectionString: proxy.url })
    closing.unshift(() => store.close())
    direct = await openPostgres({ connectionString: url })
    closing.unshift(() => direct.close())
    await migrate(direct, realWorld, [tables])
    await administer(url, 'CREATE TABLE log (line text)')
  })
  after(async () => {
    for (const close of closing) await close()
  })

  /** How often `line` was written: more than once means that a unit was run twice. */
  const lines = async (line: string) =>
    (await direct.read({ text: 'SELECT line FROM log WHERE line = $1', values: [line] })).length
  const logging = (line: string): Statement<object> => ({ text: 'INSERT INTO log (line) VALUES ($1)', values: [line] })
  const written = (line: string): UnitBody<unknown> => run(logging(line))

  for (const single of [false, true]) {
    const form = single ? ', single' : ''
    const name = 'log'

    test(`a commit whose answer is lost is never run again and never acknowledged${form}`, async () => {
      for (const delivered of [true, false]) {
        await store.commit({ name, single, run: () => written('warm') })
        const line = randomUUID()
        const cuts = proxy.cuts()
        // A prepared statement is sent by its name: its value tells its message from others.
        proxy.arm({ at: single ? line : 'COMMIT\0', delivered }, 1)
        await assert.rejects(store.commit({ name, single, run: () => written(line) }), (error) => {
          assert.ok(error instanceof StorageUnavailable)
          assert.match(error.message, /lost while a change was being committed/)
          return true
        })
        assert.equal(proxy.cuts(), cuts + 1)
        await pause(150)
        assert.equal(await lines(line), delivered ? 1 : 0)
      }
    })
  }

  test('a connection lost before COMMIT was sent: the unit runs again and takes effect once', async () => {
    const line = randomUUID()
    let runs = 0
    proxy.arm({ at: line, delivered: true }, 2)
    await store.commit({
      name: 'log',
      *run() {
        runs += 1
        yield* written('before')
        yield* written(line)
      },
    })
    assert.equal(runs, 3)
    assert.equal(await lines(line), 1)
  })

  test('a read is asked again', async () => {
    const marker = randomUUID()
    proxy.arm({ at: marker, delivered: true }, 1)
    assert.deepEqual(await store.read({ text: 'SELECT CAST($1 AS TEXT) AS m', values: [marker] }), [{ m: marker }])
  })

  test('a server that ends all connections is noticed and survived', async () => {
    const id = randomUUID()
    await administer(
      cluster.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stile'`,
    )
    const ids = Array.from({ length: 20 }, (_, at) => `${id}.${at}`)
    await Promise.all(
      ids.map((one) => store.commit({ name: 'write', run: () => insert('single_use', { environment_id, id: one }) })),
    )
  })

  test('a deadlock is run again: both units take effect', async () => {
    const [a, b] = [randomUUID(), randomUUID()]
    for (const id of [a, b]) {
      await direct.commit({
        name: 'row',
        run: () => insert('documents', { environment_id, id, document: '', version: 1 }),
      })
    }
    const crossing = (first: string, second: string) => ({
      name: 'crossing',
      *run() {
        yield* update('documents', { environment_id, id: first }, { document: first })
        yield* run({ text: 'SELECT pg_sleep(0.2)', values: [] })
        yield* update('documents', { environment_id, id: second }, { document: first })
      },
    })
    await Promise.all([direct.commit(crossing(a, b)), store.commit(crossing(b, a))])
  })

  test('a serialization failure is run again; one that does not end is StorageUnavailable soon', async () => {
    await administer(
      url,
      `CREATE FUNCTION fail_serialization(left_over int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        IF left_over > 0 THEN RAISE EXCEPTION 'try again' USING ERRCODE = '40001'; END IF; RETURN left_over; END $$`,
    )
    let runs = 0
    const failing = (times: number) => ({
      name: 'failing',
      *run() {
        const left = times - runs
        runs += 1
        return yield* run({ text: 'SELECT fail_serialization(CAST($1 AS INTEGER)) AS left_over', values: [left] })
      },
    })
    assert.deepEqual(await store.commit(failing(3)), [{ left_over: 0 }])
    assert.equal(runs, 4)
    runs = 0
    const began = performance.now()
    await assert.rejects(store.commit(failing(100)), StorageUnavailable)
    assert.equal(runs, 4)
    assert.ok(performance.now() - began < 2000)
  })

  test('a migration that changes a table under prepared statements: they are planned anew', async () => {
    await administer(url, 'CREATE TABLE changing (a text)')
    await administer(url, `INSERT INTO changing VALUES ('x')`)
    const all = { text: 'SELECT * FROM changing', values: [] }
    assert.deepEqual(await store.read(all), [{ a: 'x' }])
    await administer(url, 'ALTER TABLE changing ADD COLUMN b text')
    assert.deepEqual(await store.read(all), [{ a: 'x', b: null }])
    assert.deepEqual(await store.commit({ name: 'select', run: () => run(all) }), [{ a: 'x', b: null }])
  })

  test('a lock that is held too long is StorageUnavailable after its second, not after the statement timeout', async () => {
    const id = randomUUID()
    await direct.commit({ name: 'row', run: () => insert('single_use', { environment_id, id }) })
    const take = function* (): UnitBody<void> {
      yield* update('single_use', { environment_id, id }, { owner: 'somebody' })
    }
    const holder = direct.commit({
      name: 'holder',
      *run() {
        yield* take()
        yield* run({ text: 'SELECT pg_sleep(2)', values: [] })
      },
    })
    await pause(100)
    const began = performance.now()
    await assert.rejects(store.commit({ name: 'waits', run: take }), StorageUnavailable)
    const waited = performance.now() - began
    assert.ok(waited > 800 && waited < 2500, `${waited}`)
    await holder
  })

  test('every connection carries the limits', async () => {
    const [limits] = await store.read({
      text: `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
        current_setting('idle_in_transaction_session_timeout') AS idle`,
      values: [],
    })
    assert.deepEqual(limits, { statement: '5s', lock: '1100ms', idle: '10s' })
  })

  test('a database that takes no writes is not used', async () => {
    const readOnly = await cluster.createDatabase()
    await administer(
      cluster.url,
      `ALTER DATABASE ${new URL(readOnly).pathname.slice(1)} SET default_transaction_read_only = on`,
    )
    await assert.rejects(openPostgres({ connectionString: readOnly }), (error) => {
      return error instanceof StorageUnavailable && /takes no writes/.test(error.message)
    })
  })

  test('a server that is away, or does not know us, is told in words without the secrets of the URL', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['postgres://user:CANARY@127.0.0.1:1/none', /nothing listens/],
      [url.replace(/[^/]+$/, 'CANARY'), /the database that DATABASE_URL names does not exist/],
    ]
    for (const [connectionString, words] of cases) {
      await assert.rejects(openPostgres({ connectionString }), (error) => {
        assert.ok(error instanceof StorageUnavailable)
        assert.match(error.message, words)
        assert.doesNotMatch(inspect(error), /CANARY|127\.0\.0\.1/)
        return true
      })
    }
  })
}

// It ends connections of everybody.
const cluster = await startOwnPostgres()
if ('missing' in cluster) test('PostgreSQL engine, faults', (context) => absent(context, cluster.missing))
else suite('PostgreSQL engine, faults', () => faults(cluster))
