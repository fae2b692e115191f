/** 1-of-50: every race word, fired by 50 callers at once, on fresh rows, many times over. Catalogue B03, E02, J10, L11. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import {
  compareAndSet,
  consume,
  consumeByMark,
  hold,
  increment,
  insert,
  type Word,
} from '../../../src/storage/operations.ts'
import { run, type Storage, type UnitBody } from '../../../src/storage/port.ts'
import { AlreadyConsumed, Stale, UniquenessViolation } from '../../../src/storage/refusals.ts'
import type { Nodes } from '../conformance.ts'

const callers = 50
const rounds = 12
const environment_id = 'races'

/** A race: prepares a row, then lets everybody at it. */
interface Race {
  readonly name: string
  readonly prepare?: (id: string) => Word<void>
  readonly attempt: (id: string, caller: number) => UnitBody<unknown>
  readonly refusal: new (table: string) => Error
}

const list: readonly Race[] = [
  {
    name: 'consume',
    prepare: (id) => insert('single_use', { environment_id, id }),
    attempt: (id) => consume('single_use', { environment_id, id }),
    refusal: AlreadyConsumed,
  },
  {
    name: 'consumeByMark',
    prepare: (id) => insert('single_use', { environment_id, id }),
    attempt: (id) => consumeByMark('single_use', { environment_id, id }, { column: 'used_at', at: 1 }),
    refusal: AlreadyConsumed,
  },
  {
    name: 'compareAndSet',
    prepare: (id) => insert('documents', { environment_id, id, version: 1 }),
    attempt: (id, caller) => compareAndSet('documents', { environment_id, id }, 1, { document: `by ${caller}` }),
    refusal: Stale,
  },
  {
    name: 'insert of one key',
    attempt: (id, caller) => insert('single_use', { environment_id, id, owner: `${caller}` }),
    refusal: UniquenessViolation,
  },
  {
    name: 'insert of one unique value under many keys',
    attempt: (name) => insert('names', { environment_id, id: randomUUID(), name, enabled: 1 }),
    refusal: UniquenessViolation,
  },
]

/** Fires a unit from all callers at once and returns how each fared. */
function fire(
  nodes: Nodes,
  attempt: (caller: number) => UnitBody<unknown>,
  single: boolean,
): Promise<readonly PromiseSettledResult<unknown>[]> {
  const units = Array.from({ length: callers }, (_, caller) => ({ name: 'race', single, run: () => attempt(caller) }))
  return Promise.allSettled(units.map((unit, caller) => nodes.at(caller).commit(unit)))
}

async function prepared(store: Storage, race: Race): Promise<string> {
  const id = randomUUID()
  const { prepare } = race
  if (prepare) await store.commit({ name: 'prepare', run: () => prepare(id) })
  return id
}

export function races(nodes: Nodes): void {
  suite('races of 50', () => {
    for (const race of list) {
      for (const single of [false, true]) {
        test(`${race.name}${single ? ', single' : ''}: exactly one wins`, async () => {
          for (let round = 0; round < rounds; round += 1) {
            const id = await prepared(nodes.store, race)
            const results = await fire(nodes, (caller) => race.attempt(id, caller), single)
            const refused = results.filter((result) => result.status === 'rejected')
            for (const { reason } of refused) assert.ok(reason instanceof race.refusal, String(reason))
            assert.equal(refused.length, callers - 1)
          }
        })
      }
    }

    for (const single of [false, true]) {
      test(`increment${single ? ', single' : ''}: no more than the bound are let through`, async () => {
        const bound = 7
        for (let round = 0; round < rounds; round += 1) {
          const subject = randomUUID()
          const key = { environment_id, subject }
          const results = await fire(
            nodes,
            () => increment('counters', key, { bound, window: 60_000, now: 1_000 }),
            single,
          )
          const answers = results.map((result) => {
            assert.equal(result.status, 'fulfilled')
            return result.value as { allowed: boolean; count: number; until: number }
          })
          assert.equal(answers.filter(({ allowed }) => allowed).length, bound)
          assert.ok(answers.every(({ until, count }) => until === 61_000 && count <= bound))
        }
      })
    }

    test('hold: whoever moves a row finds all that stands on it, and nothing comes later', async () => {
      for (let round = 0; round < rounds; round += 1) {
        const id = randomUUID()
        const standing = { text: 'SELECT id FROM names WHERE environment_id = $1 AND name LIKE $2', values: [id, '%'] }
        await nodes.store.commit({
          name: 'prepare',
          run: () => insert('documents', { environment_id: id, id, version: 1 }),
        })
        const mover = Math.floor((callers * round) / rounds)
        const results = await fire(
          nodes,
          function* (caller) {
            if (caller === mover) {
              yield* compareAndSet('documents', { environment_id: id, id }, 1, { document: 'moved' })
              return (yield* run(standing)).length
            }
            yield* hold('documents', { environment_id: id, id }, 1)
            yield* insert('names', { environment_id: id, id: randomUUID(), name: `${caller}`, enabled: 1 })
            return undefined
          },
          false,
        )
        const found = results[mover]
        assert.equal(found?.status, 'fulfilled')
        assert.equal(found.value, (await nodes.store.read(standing)).length)
        const refused = results.filter((result) => result.status === 'rejected')
        for (const { reason } of refused) assert.ok(reason instanceof Stale, String(reason))
        assert.equal(refused.length + found.value, callers - 1)
      }
    })

    test('a unit of several words: who loses the first leaves nothing of the rest', async () => {
      for (let round = 0; round < rounds; round += 1) {
        const id = randomUUID()
        await nodes.store.commit({ name: 'prepare', run: () => insert('single_use', { environment_id, id }) })
        const results = await fire(
          nodes,
          function* (caller) {
            yield* insert('documents', { environment_id, id: `${id}.${caller}`, document: id, version: 1 })
            yield* consume('single_use', { environment_id, id })
          },
          false,
        )
        const winner = results.findIndex(({ status }) => status === 'fulfilled')
        const rows = await nodes.store.read({
          text: 'SELECT id FROM documents WHERE environment_id = $1 AND document = $2',
          values: [environment_id, id],
        })
        assert.deepEqual(rows, [{ id: `${id}.${winner}` }])
      }
    })
  })
}
