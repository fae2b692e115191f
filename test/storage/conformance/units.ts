/** Units: all or nothing, alone in their failure, the same in one statement as in a transaction. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import * as words from '../../../src/storage/operations.ts'
import { run, StorageUnavailable, type Storage, type UnitBody } from '../../../src/storage/port.ts'
import { AlreadyConsumed, Stale, UniquenessViolation } from '../../../src/storage/refusals.ts'
import { StatementFailed } from '../../../src/storage/statement-failed.ts'
import { UnitBroken } from '../../../src/storage/unit-steps.ts'
import type { Nodes } from '../conformance.ts'

const environment_id = 'units'

async function idsLike(store: Storage, owner: string): Promise<readonly string[]> {
  const rows = await store.read<{ readonly id: string }>({
    text: 'SELECT id FROM single_use WHERE environment_id = $1 AND owner = $2 ORDER BY id',
    values: [environment_id, owner],
  })
  return rows.map(({ id }) => id)
}

/** Every race word twice, so that its winning and its losing form are seen: what is committed, what is told. */
const forms: Readonly<Record<string, (id: string) => UnitBody<unknown>>> = {
  insert: (id) => words.insert('documents', { environment_id, id, document: 'new', version: 1 }),
  consume: (id) => words.consume('documents', { environment_id, id }),
  consumeByMark: (id) => words.consumeByMark('single_use', { environment_id, id }, { column: 'used_at', at: 5 }),
  compareAndSet: (id) => words.compareAndSet('documents', { environment_id, id }, 1, { document: 'set' }),
  hold: (id) => words.hold('documents', { environment_id, id }, 1),
  increment: (id) => words.increment('counters', { environment_id, subject: id }, { bound: 1, window: 10, now: 5 }),
  update: (id) => words.update('documents', { environment_id, id }, { document: 'updated' }),
  remove: (id) => words.remove('documents', { environment_id, id }),
}

/** What a form did: its two outcomes and the rows it left. Ids are alike, so that two runs can be compared. */
async function observe(store: Storage, word: (id: string) => UnitBody<unknown>, fresh: boolean, single: boolean) {
  const id = randomUUID()
  if (!fresh) {
    await store.commit({
      name: 'prepare',
      *run() {
        yield* words.insert('documents', { environment_id, id, document: 'old', version: 1 })
        yield* words.insert('single_use', { environment_id, id })
      },
    })
  }
  const outcome = async () => {
    const [result] = await Promise.allSettled([store.commit({ name: 'form', single, run: () => word(id) })])
    return JSON.stringify(result.status === 'fulfilled' ? result : { refused: String(result.reason) })
  }
  const told = [await outcome(), await outcome()]
  const left = await Promise.all(
    [
      'SELECT * FROM documents WHERE id = $1',
      'SELECT * FROM single_use WHERE id = $1',
      'SELECT * FROM counters WHERE subject = $1',
    ].map((text) => store.read({ text, values: [id] })),
  )
  return JSON.stringify({ told, left }).replaceAll(id, 'ID')
}

export function units(nodes: Nodes): void {
  suite('units', () => {
    test('losing units leave no trace while their neighbours commit', async () => {
      const owner = randomUUID()
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, caller) =>
          nodes.at(caller).commit({
            name: 'sometimes gives up',
            *run() {
              yield* words.insert('single_use', { environment_id, id: `${owner}.${caller}.a`, owner })
              yield* words.insert('single_use', { environment_id, id: `${owner}.${caller}.b`, owner })
              if (caller % 2 === 1) throw new RangeError(`gave up ${caller}`)
              return caller
            },
          }),
        ),
      )
      results.forEach((result, caller) => {
        if (result.status === 'fulfilled') assert.equal(result.value, caller)
        else assert.deepEqual(result.reason, new RangeError(`gave up ${caller}`))
        assert.equal(result.status, caller % 2 === 0 ? 'fulfilled' : 'rejected')
      })
      const expected = Array.from({ length: 25 }, (_, at) => [`${owner}.${at * 2}.a`, `${owner}.${at * 2}.b`]).flat()
      assert.deepEqual(await idsLike(nodes.store, owner), expected.toSorted())
    })

    test('what a unit throws reaches the caller unchanged', async () => {
      const thrown = new Stale('anything')
      const commit = nodes.store.commit({
        name: 'throws',
        // eslint-disable-next-line require-yield
        *run(): UnitBody<void> {
          throw thrown
        },
      })
      await assert.rejects(commit, (error) => error === thrown)
    })

    test('a failed statement ends the unit: it cannot be caught inside', async () => {
      const id = randomUUID()
      const commit = nodes.store.commit({
        name: 'catches',
        *run() {
          yield* words.insert('single_use', { environment_id, id })
          try {
            yield* run({ text: 'INSERT INTO single_use (environment_id, id) VALUES (NULL, $1)', values: [id] })
          } catch {
            // Never reached: PostgreSQL's transaction is lost by now.
          }
          return 'went on'
        },
      })
      await assert.rejects(commit, StatementFailed)
      assert.deepEqual(await nodes.store.read({ text: 'SELECT id FROM single_use WHERE id = $1', values: [id] }), [])
    })

    test('a unique value taken by an update is a UniquenessViolation of its table', async () => {
      const [mine, theirs] = [randomUUID(), randomUUID()]
      const name = randomUUID()
      await nodes.store.commit({
        name: 'prepare',
        run: () =>
          words.insertAll('names', [
            { environment_id, id: mine, name: mine, enabled: 1 },
            { environment_id, id: theirs, name, enabled: 1 },
          ]),
      })
      const commit = nodes.store.commit({
        name: 'rename',
        run: () => words.update('names', { environment_id, id: mine }, { name }),
      })
      await assert.rejects(commit, (error) => error instanceof UniquenessViolation && error.table === 'names')
    })

    test('insertAll takes all or none', async () => {
      const [one, two] = [randomUUID(), randomUUID()]
      await nodes.store.commit({ name: 'taken', run: () => words.insert('single_use', { environment_id, id: two }) })
      const rows = [
        { environment_id, id: one },
        { environment_id, id: two },
      ]
      const commit = nodes.store.commit({ name: 'all', run: () => words.insertAll('single_use', rows) })
      await assert.rejects(commit, UniquenessViolation)
      assert.deepEqual(await nodes.store.read({ text: 'SELECT id FROM single_use WHERE id = $1', values: [one] }), [])
    })

    test('a statement that counts gives as many empty rows as it changed', async () => {
      const owner = randomUUID()
      const rows = [1, 2, 3].map((id) => ({ environment_id, id: `${owner}.${id}`, owner }))
      await nodes.store.commit({ name: 'add', run: () => words.insertAll('single_use', rows) })
      const changed = (ids: readonly string[]) =>
        nodes.store.commit({
          name: 'count',
          single: true,
          run: () =>
            run({
              text: `UPDATE single_use SET used_at = 1 WHERE environment_id = $1 AND id IN (${ids.map((_, at) => `$${at + 2}`).join()})`,
              values: [environment_id, ...ids],
              counts: true,
            }),
        })
      const ids = rows.map(({ id }) => id)
      assert.deepEqual(await changed(ids), [{}, {}, {}])
      assert.deepEqual(await changed(ids.slice(1, 2)), [{}])
      assert.deepEqual(await changed([randomUUID()]), [])
    })

    for (const [name, word] of Object.entries(forms)) {
      test(`${name}: single equals its transaction`, async () => {
        for (const fresh of [true, false]) {
          const [single, transaction] = [
            await observe(nodes.store, word, fresh, true),
            await observe(nodes.store, word, fresh, false),
          ]
          assert.equal(single, transaction)
        }
      })
    }

    test('a single unit that asks for a second statement, or gives up after its effect, is broken', async () => {
      const twice = nodes.store.commit({
        name: 'twice',
        single: true,
        *run() {
          yield* run({ text: 'SELECT 1 AS one', values: [] })
          yield* run({ text: 'SELECT 1 AS one', values: [] })
        },
      })
      await assert.rejects(twice, UnitBroken)
      const late = nodes.store.commit({
        name: 'late',
        single: true,
        *run() {
          yield* words.insert('single_use', { environment_id, id: randomUUID() })
          throw new RangeError('too late')
        },
      })
      await assert.rejects(late, UnitBroken)
    })

    test('the rows and values of the words', async () => {
      const { store } = nodes
      const id = randomUUID()
      const key = { environment_id, id }
      const did = <T>(body: () => UnitBody<T>) => store.commit({ name: 'word', run: body })
      await did(() => words.insert('documents', { ...key, document: null, version: 1 }))
      assert.equal(await did(() => words.compareAndSet('documents', key, 1, { document: 'a' })), 2)
      await assert.rejects(
        did(() => words.compareAndSet('documents', key, 1, { document: 'b' })),
        Stale,
      )
      await did(() => words.hold('documents', key, 2))
      await assert.rejects(
        did(() => words.hold('documents', key, 1)),
        Stale,
      )
      assert.equal(await did(() => words.update('documents', key, { document: 'c' })), true)
      assert.deepEqual(await did(() => words.consume('documents', key)), { ...key, document: 'c', version: 2 })
      await assert.rejects(
        did(() => words.consume('documents', key)),
        AlreadyConsumed,
      )
      assert.equal(await did(() => words.update('documents', key, { document: 'c' })), false)
      assert.equal(await did(() => words.remove('documents', key)), 0)
      await did(() => words.insert('documents', { ...key, version: 1 }))
      assert.equal(await did(() => words.remove('documents', { environment_id, id })), 1)
    })

    test('increment opens a new window when the old one has ended, and refused callers do not extend it', async () => {
      const key = { environment_id, subject: randomUUID() }
      const at = (now: number, bound = 2) =>
        nodes.store.commit({ name: 'count', run: () => words.increment('counters', key, { bound, window: 100, now }) })
      assert.deepEqual(await at(1000), { allowed: true, count: 1, until: 1100 })
      assert.deepEqual(await at(1050), { allowed: true, count: 2, until: 1100 })
      assert.deepEqual(await at(1060), { allowed: false, count: 2, until: 1100 })
      assert.deepEqual(await at(1099), { allowed: false, count: 2, until: 1100 })
      assert.deepEqual(await at(1099, 1), { allowed: false, count: 1, until: 1100 })
      assert.deepEqual(await at(1100), { allowed: true, count: 1, until: 1200 })
    })

    test('reads see every acknowledged commit', async () => {
      const owner = randomUUID()
      await Promise.all(
        Array.from({ length: 50 }, async (_, caller) => {
          const id = randomUUID()
          const unit = { name: 'write', run: () => words.insert('single_use', { environment_id, id, owner }) }
          await nodes.at(caller).commit(unit)
          assert.ok((await idsLike(nodes.at(caller + 1), owner)).includes(id))
        }),
      )
    })

    test('keys, rows and names that would reach too far are refused before any statement', async () => {
      const { store } = nodes
      const before = store.counts().statements
      const refused = (body: () => UnitBody<unknown>) =>
        assert.rejects(store.commit({ name: 'refused', run: body }), TypeError)
      await refused(() => words.remove('documents', {}))
      await refused(() => words.remove('documents', { id: 'another environment' }))
      await refused(() => words.insert('documents', { id: 'x', version: 1 }))
      await refused(() => words.insert('documents; DROP TABLE documents', { environment_id }))
      await refused(() => words.update('documents', { environment_id, 'id = id OR id': '1' }, { version: 1 }))
      await refused(() => words.compareAndSet('documents', { environment_id, id: 'x' }, 1, { version: 9 }))
      await refused(() => words.insertAll('documents', []))
      assert.equal(store.counts().statements, before)
    })

    test('a read changes nothing', async () => {
      const text = 'DELETE FROM single_use WHERE environment_id = $1'
      await assert.rejects(nodes.store.read({ text, values: [environment_id] }), TypeError)
    })

    test('counts tell what was asked', async () => {
      const { store } = nodes
      const before = store.counts()
      await store.read({ text: 'SELECT 1 AS one', values: [] })
      await store.commit({
        name: 'two statements',
        *run() {
          yield* run({ text: 'SELECT 1 AS one', values: [] })
          yield* run({ text: 'SELECT 2 AS two', values: [] })
        },
      })
      const { reads, commits, statements } = store.counts()
      assert.deepEqual([reads - before.reads, commits - before.commits, statements - before.statements], [1, 1, 3])
    })

    test('StorageUnavailable is not what a mistake gives', async () => {
      const commit = nodes.store.commit({
        name: 'mistake',
        *run() {
          yield* run({ text: 'SELECT nothing FROM nowhere', values: [] })
        },
      })
      await assert.rejects(
        commit,
        (error) => error instanceof StatementFailed && !(error instanceof StorageUnavailable),
      )
    })
  })
}
