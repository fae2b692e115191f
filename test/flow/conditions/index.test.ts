import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { evaluate, type Reading, type Truth } from '../../../src/flow/condition.ts'
import { conditionSchema, nestingLimits, readCondition } from '../../../src/flow/conditions/index.ts'
import type { UserFacts } from '../../../src/flow/facts.ts'
import { now, sessionAged, userWith } from './truth.ts'

const leaf = { value: '${user.population.id}', equals: 'x' }

suite('reading conditions', () => {
  test('an unknown operator is refused and compiles to a condition that is never false', () => {
    const unknown = [
      { lessThan: 3 },
      { valid: '${flow.request.http.remoteIp}', ipMood: { minScore: 80, maxScore: 100 } },
      { value: '${identifier}', contains: '@example.com' },
      {},
      [],
      null,
      'true',
      Object.create({ and: [leaf] }) as object,
    ]
    for (const json of unknown) {
      const { condition, problems } = readCondition(json)
      assert.equal(problems[0]?.code, 'INVALID_VALUE', JSON.stringify(json))
      assert.equal(problems[0].target, 'condition')
      assert.equal(evaluate(condition, { session: null, user: null, request: null, now }), 'unknown')
    }
  })

  test('problems name the place', () => {
    const json = { or: [leaf, { not: { secondsSince: '${session.lastSignOn.at}', greater: 1.5 } }] }
    const target = 'condition.or[1].not.greater'
    assert.deepEqual(readCondition(json).problems, [{ code: 'INVALID_VALUE', target, message: 'must be of type int' }])
  })

  test('two operators in one object, and empty lists, are refused', () => {
    for (const json of [{ and: [leaf], or: [leaf] }, { and: [] }, { or: [] }, { and: leaf }, { ...leaf, not: leaf }]) {
      assert.ok(readCondition(json).problems.length > 0, JSON.stringify(json))
    }
  })

  test('nesting and size are capped', () => {
    const leaves = (length: number) => Array.from({ length }, () => leaf)
    const nested = (depth: number): object => (depth === 1 ? leaf : { not: nested(depth - 1) })
    assert.deepEqual(readCondition(nested(nestingLimits.depth)).problems, [])
    assert.equal(readCondition(nested(nestingLimits.depth + 1)).problems.length, 1)
    assert.deepEqual(readCondition({ and: leaves(nestingLimits.parts - 1) }).problems, [])
    assert.equal(readCondition({ and: leaves(nestingLimits.parts) }).problems.length, 1)
  })

  test('a part that cannot be read makes the whole never false because of it', () => {
    const { condition } = readCondition({ and: [leaf, { nonsense: 1 }] })
    const user = userWith({ population: { id: 'x' } })
    assert.equal(evaluate(condition, { session: null, user, request: null, now }), 'unknown')
  })

  test('the schema for the contract accepts what the reader accepts', () => {
    const ipRange = { contains: '${flow.request.http.remoteIp}', ipRange: ['10.0.0.0/8'] }
    const seconds = { secondsSince: '${session.lastSignOn.at}', greater: 5 }
    for (const json of [leaf, ipRange, seconds, { not: leaf }, { or: [leaf, { and: [ipRange, seconds] }] }]) {
      assert.ok(conditionSchema.safeParse(json).success && readCondition(json).problems.length === 0)
    }
    assert.ok(!conditionSchema.safeParse({ nonsense: 1 }).success)
    assert.ok(z.toJSONSchema(conditionSchema, { unrepresentable: 'any' }))
  })
})

/** The points a condition declares have to show every result it can take; else a prover would miss a branch. */
suite('declared points', () => {
  const leaves = fc.oneof(
    fc.record({ secondsSince: fc.constant('${session.lastSignOn.at}'), greater: fc.nat(50) }),
    fc.record({ value: fc.constant('${user.name}'), equals: fc.constantFrom('a', 'b') }),
    fc.record({ value: fc.constant('${user.flag}'), equals: fc.boolean() }),
    fc.record({
      contains: fc.constant('${flow.request.http.remoteIp}'),
      ipRange: fc.array(
        fc.constantFrom('10.0.0.0/8', '10.1.0.0/16', '0.0.0.0/0', '0.0.0.0/1', '2001:db8::/64', '::/0'),
        {
          minLength: 1,
        },
      ),
    }),
  )
  const condition = fc.oneof(
    leaves,
    fc.record({ not: leaves }),
    fc.record({ and: fc.array(leaves, { minLength: 1, maxLength: 2 }) }),
    fc.record({ or: fc.array(leaves, { minLength: 1, maxLength: 2 }) }),
  )
  const facts = fc.record({
    age: fc.option(fc.nat(60)),
    name: fc.option(fc.constantFrom('a', 'b', 'c')),
    flag: fc.option(fc.boolean()),
    ip: fc.option(fc.constantFrom('10.0.0.1', '10.1.2.3', '11.0.0.1', '200.0.0.1', '2001:db8::5', '2001:db9::5')),
  })

  test('every result a condition takes is taken at some combination of its points', () => {
    fc.assert(
      fc.property(condition, facts, (json, { age, name, flag, ip }) => {
        const compiled = readCondition(json).condition
        const truth = (values: Partial<Record<Reading['fact'], unknown>>): Truth => {
          const at = values['session.lastSignOn.at']
          const attributes: UserFacts['attributes'] = { name: values['user.name'], flag: values['user.flag'] }
          const remoteIp = values['flow.request.http.remoteIp']
          return evaluate(compiled, {
            session: at == null ? null : sessionAged({ at: Number(at) }),
            user: userWith(attributes),
            request: typeof remoteIp === 'string' ? { remoteIp } : null,
            now,
          })
        }
        let combinations: Partial<Record<Reading['fact'], unknown>>[] = [{}]
        for (const fact of new Set(compiled.reads.map((reading) => reading.fact))) {
          const points = compiled.reads.filter((reading) => reading.fact === fact).flatMap((reading) => reading.points)
          combinations = combinations.flatMap((each) => [null, ...points].map((value) => ({ ...each, [fact]: value })))
        }
        const reached = new Set(combinations.map(truth))
        const actual = {
          'session.lastSignOn.at': age,
          'user.name': name,
          'user.flag': flag,
          'flow.request.http.remoteIp': ip,
        }
        assert.ok(reached.has(truth(actual)))
      }),
      { numRuns: 3000 },
    )
  })
})
