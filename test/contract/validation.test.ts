/** What schemas find wrong, in PingOne's words (platform-api 1.11): the member by its path, never its value. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { z } from 'zod'
import { iso, parseOrRefuse, reference, uuid } from '../../src/contract/validation.ts'
import { type Detail, Problem } from '../../src/errors/problem.ts'

function detailsOf(schema: z.ZodType, value: unknown): readonly Detail[] {
  try {
    parseOrRefuse(schema, value)
  } catch (error) {
    assert.ok(error instanceof Problem)
    assert.deepEqual([error.key, error.entry.status], ['INVALID_DATA', 400])
    return error.details
  }
  return assert.fail('nothing was found')
}

const schema = z.object({
  name: z.string().min(2).max(4),
  age: z.int().min(1).max(99).optional(),
  kind: z.enum(['A', 'B']).optional(),
  nested: z.object({ list: z.array(z.object({ id: uuid })) }).optional(),
  strict: z.strictObject({ known: z.string() }).optional(),
  ruled: z
    .string()
    .refine((text) => text !== 'no', 'must not be no')
    .optional(),
  even: z.number().multipleOf(2).optional(),
  either: z.union([z.string(), z.number()]).optional(),
  map: z.record(z.string().max(3), z.number()).optional(),
})

suite('details', () => {
  const cases: readonly (readonly [what: string, value: unknown, code: string, target: string, inner?: object])[] = [
    ['nothing at all', undefined, 'REQUIRED_VALUE', 'body'],
    ['no object', [], 'INVALID_VALUE', 'body'],
    ['a member that is missing', {}, 'REQUIRED_VALUE', 'name'],
    ['another type', { name: 7 }, 'INVALID_VALUE', 'name'],
    ['null where a value has to be', { name: null }, 'INVALID_VALUE', 'name'],
    ['too short', { name: 'a' }, 'OUT_OF_RANGE', 'name', { rangeMinimumValue: 2 }],
    ['too long', { name: 'abcde' }, 'OUT_OF_RANGE', 'name', { rangeMaximumValue: 4 }],
    ['too small', { name: 'ab', age: 0 }, 'OUT_OF_RANGE', 'age', { rangeMinimumValue: 1 }],
    ['too large', { name: 'ab', age: 100 }, 'OUT_OF_RANGE', 'age', { rangeMaximumValue: 99 }],
    ['no integer', { name: 'ab', age: 1.5 }, 'INVALID_VALUE', 'age'],
    ['not one of several', { name: 'ab', kind: 'C' }, 'INVALID_VALUE', 'kind', { allowedValues: ['A', 'B'] }],
    ['deep inside', { name: 'ab', nested: { list: [{ id: 'x' }] } }, 'INVALID_VALUE', 'nested.list.0.id'],
    ['deep inside and missing', { name: 'ab', nested: { list: [{}] } }, 'REQUIRED_VALUE', 'nested.list.0.id'],
    ['unknown where that counts', { name: 'ab', strict: { known: 'x', other: 1 } }, 'INVALID_VALUE', 'strict.other'],
    ['against a rule', { name: 'ab', ruled: 'no' }, 'INVALID_VALUE', 'ruled'],
    ['odd', { name: 'ab', even: 3 }, 'INVALID_VALUE', 'even'],
    ['neither of two', { name: 'ab', either: true }, 'INVALID_VALUE', 'either'],
    ['a name that is too long', { name: 'ab', map: { long: 1 } }, 'INVALID_VALUE', 'map.long'],
  ]
  for (const [what, value, code, target, inner] of cases) {
    test(what, () => {
      const [detail, ...others] = detailsOf(schema, value)
      assert.deepEqual(others, [])
      assert.deepEqual([detail?.code, detail?.target], [code, target])
      assert.ok(detail?.message)
      if (inner) assert.deepEqual(detail?.innerError, inner)
    })
  }

  test('a pattern is told, so that a client can say it', () => {
    const [detail] = detailsOf(reference, { id: 'x' })
    assert.equal(typeof detail?.innerError?.['allowedPattern'], 'string')
  })

  test('everything that is wrong at once, but not without end', () => {
    assert.equal(detailsOf(schema, { age: 0, kind: 'C' }).length, 3)
    assert.equal(
      detailsOf(
        z.array(z.string()),
        Array.from({ length: 500 }, () => 7),
      ).length,
      50,
    )
  })

  test('the value itself is never told', () => {
    const values = [
      { name: 'CANARY' },
      { name: { CANARY: 'CANARY' } },
      { name: 'ab', kind: 'CANARY' },
      { name: 'ab', nested: { list: [{ id: 'CANARY' }] } },
      { name: 'ab', either: { CANARY: 1 } },
      'CANARY',
    ]
    for (const value of values) assert.doesNotMatch(JSON.stringify(detailsOf(schema, value)), /CANARY/)
  })

  test('what fits comes back without what is not known', () => {
    assert.deepEqual(parseOrRefuse(schema, { name: 'abc', age: 7, other: 1, id: 2 }), { name: 'abc', age: 7 })
  })
})

test('D17: an id is a lower-case UUID', () => {
  for (const id of ['7f2f5ab0-6a38-4d9c-9c0e-3d0a3d5e2b10', '7f2f5ab0-6a38-1d9c-8c0e-3d0a3d5e2b10'])
    assert.ok(uuid.safeParse(id).success)
  for (const id of [
    '7F2F5AB0-6A38-4D9C-9C0E-3D0A3D5E2B10',
    '7f2f5ab0-6a38-7d9c-9c0e-3d0a3d5e2b10',
    '7f2f5ab0-6a38-4d9c-cc0e-3d0a3d5e2b10',
    '7f2f5ab06a384d9c9c0e3d0a3d5e2b10',
    '{7f2f5ab0-6a38-4d9c-9c0e-3d0a3d5e2b10}',
    '7f2f5ab0-6a38-4d9c-9c0e-3d0a3d5e2b10\n',
    ' 7f2f5ab0-6a38-4d9c-9c0e-3d0a3d5e2b10',
    '00000000-0000-0000-0000-000000000000',
    '',
  ]) {
    assert.equal(uuid.safeParse(id).success, false, id)
  }
})

test('times are ISO 8601 in UTC with milliseconds', () => {
  assert.equal(iso(0), '1970-01-01T00:00:00.000Z')
  assert.equal(iso(1_773_688_443_375), '2026-03-16T19:14:03.375Z')
})
