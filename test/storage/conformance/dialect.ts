/** One text for both engines (architecture section 5): what the same statement and the same values must give on each. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { Unbindable } from '../../../src/storage/binding.ts'
import { insertAll } from '../../../src/storage/operations.ts'
import { type Row, run, type SqlValue } from '../../../src/storage/port.ts'
import { StatementFailed } from '../../../src/storage/statement-failed.ts'
import type { Nodes } from '../conformance.ts'

const names = [
  'a',
  'B',
  'ab',
  'Z',
  'z',
  'aé',
  'ä',
  'é',
  '~',
  '_',
  'a b',
  'a-b',
  '10',
  '9',
  '\u{1F600}',
  '\uFF21',
  'abc',
  'ac',
  'ab\uFFFF',
  'ab\u{10FFFF}',
]

/** By code point, which is also the order of UTF-8 bytes; JavaScript's own order goes by UTF-16 units. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

export function dialect(nodes: Nodes): void {
  suite('dialect', () => {
    const named = async () => {
      const environment_id = randomUUID()
      const rows = names.map((name, at) => ({ environment_id, id: randomUUID(), name, enabled: at % 2 }))
      await nodes.store.commit({ name: 'names', run: () => insertAll('names', rows) })
      return environment_id
    }
    const select = (text: string, values: readonly SqlValue[]) => nodes.store.read<Row>({ text, values })

    test('text is ordered by code point, whatever the collation of the database is', async () => {
      const rows = await select('SELECT name FROM names WHERE environment_id = $1 ORDER BY name', [await named()])
      assert.deepEqual(
        rows.map(({ name }) => name),
        names.toSorted(byCodePoint),
      )
    })

    test('a prefix is a range', async () => {
      const text = 'SELECT name FROM names WHERE environment_id = $1 AND name >= $2 AND name < $3 ORDER BY name'
      const rows = await select(text, [await named(), 'ab', 'ac'])
      assert.deepEqual(
        rows.map(({ name }) => name),
        ['ab', 'abc', 'ab\uFFFF', 'ab\u{10FFFF}'],
      )
    })

    test('a nullable parameter is cast', async () => {
      const environment = await named()
      const text = `SELECT name FROM names WHERE environment_id = $1
        AND (CAST($2 AS TEXT) IS NULL OR name = $2) AND (CAST($3 AS BIGINT) IS NULL OR enabled = $3)`
      assert.equal((await select(text, [environment, null, null])).length, names.length)
      assert.equal((await select(text, [environment, null, 1])).length, names.length / 2)
      assert.deepEqual(await select(text, [environment, 'a', null]), [{ name: 'a' }])
    })

    test('numbers are numbers: int8, counts, sums, whole-number division; a comparison is 0 or 1', async () => {
      const [row] = await select(
        `SELECT CAST($1 AS BIGINT) AS time, COUNT(*) AS rows, SUM(enabled) AS sum, CAST($2 AS INTEGER) / 2 AS half,
          COUNT(*) > 3 AS many, COUNT(*) < 3 AS few FROM names WHERE environment_id = $3`,
        [1_795_000_000_123, 5, await named()],
      )
      assert.deepEqual(row, {
        time: 1_795_000_000_123,
        rows: names.length,
        sum: names.length / 2,
        half: 2,
        many: 1,
        few: 0,
      })
    })

    test('a whole number stays one in every expression', async () => {
      const text = 'SELECT CAST($1 AS TEXT) AS text, CAST(1 AS INTEGER) * CAST($1 AS INTEGER) / 2 AS half'
      assert.deepEqual(await select(text, [5]), [{ text: '5', half: 2 }])
    })

    test('a number beyond 2^53 is an error, never another number', async () => {
      const big = select('SELECT CAST($1 AS BIGINT) * 4 AS big', [Number.MAX_SAFE_INTEGER])
      await assert.rejects(big, { name: 'StatementFailed', message: /beyond 2\^53/ })
    })

    test('the same parameter may be used twice and in any order', async () => {
      const text = 'SELECT CAST($2 AS TEXT) AS second, CAST($1 AS TEXT) AS first, CAST($2 AS TEXT) AS again'
      assert.deepEqual(await select(text, ['1', '2']), [{ second: '2', first: '1', again: '2' }])
    })

    test('text and JSON come back as they were bound', async () => {
      const values = [
        '',
        ' ',
        'null',
        '{"a": [1, 2]}',
        "O'Hara; --",
        '日本語',
        '\u{1F600}',
        '\u0001\uFFFD',
        'x'.repeat(100_000),
      ]
      for (const value of values)
        assert.deepEqual(await select('SELECT CAST($1 AS TEXT) AS text', [value]), [{ text: value }])
    })

    test('RETURNING and ON CONFLICT', async () => {
      const environment = randomUUID()
      const unit = {
        name: 'upsert',
        *run() {
          return yield* run({
            text: `INSERT INTO names (environment_id, id, name, enabled) VALUES ($1, $2, $3, 1)
              ON CONFLICT (environment_id, name) DO UPDATE SET enabled = names.enabled + 1 RETURNING name, enabled`,
            values: [environment, randomUUID(), 'same'],
          })
        },
      }
      assert.deepEqual(await nodes.store.commit(unit), [{ name: 'same', enabled: 1 }])
      assert.deepEqual(await nodes.store.commit(unit), [{ name: 'same', enabled: 2 }])
    })

    test('what must never be bound is refused by name and kind, and its value is not shown', async () => {
      const refused: readonly (readonly [unknown, RegExp])[] = [
        [true, /boolean/],
        [undefined, /undefined/],
        [Number.NaN, /whole number/],
        [1.5, /whole number/],
        [2 ** 53, /whole number/],
        ['CANARY\u0000', /U\+0000/],
        ['CANARY\uD800', /surrogate/],
        [{ CANARY: 1 }, /object/],
        [5n, /bigint/],
      ]
      for (const [value, kind] of refused) {
        const statement = {
          text: 'SELECT CAST($1 AS TEXT) AS one, CAST($2 AS TEXT) AS two',
          values: ['ok', value] as SqlValue[],
        }
        const check = (error: unknown) => {
          assert.ok(error instanceof Unbindable, String(error))
          assert.match(error.message, kind)
          assert.match(error.message, /\$2/)
          assert.doesNotMatch(error.message, /CANARY/)
          return true
        }
        await assert.rejects(nodes.store.read(statement), check)
        await assert.rejects(nodes.store.commit({ name: 'binds', run: () => run(statement) }), check)
      }
    })

    test('too few or too many values are refused', async () => {
      for (const values of [['1'], ['1', '2', '3']]) {
        await assert.rejects(select('SELECT CAST($1 AS TEXT) AS one, CAST($2 AS TEXT) AS two', values), Unbindable)
      }
    })

    test('text in an integer column is refused, and the error does not show it', async () => {
      const unit = {
        name: 'wrong type',
        *run() {
          yield* run({
            text: 'INSERT INTO documents (environment_id, id, version) VALUES ($1, $2, $3)',
            values: ['dialect', randomUUID(), 'CANARY'],
          })
        },
      }
      await assert.rejects(nodes.store.commit(unit), (error) => {
        assert.ok(error instanceof StatementFailed, String(error))
        assert.doesNotMatch(error.message, /CANARY/)
        return true
      })
    })

    test('rows are plain objects', async () => {
      const [row] = await select('SELECT 1 AS one', [])
      assert.equal(Object.getPrototypeOf(row), Object.prototype)
    })
  })
}
