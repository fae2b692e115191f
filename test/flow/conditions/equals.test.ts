import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readCondition } from '../../../src/flow/conditions/index.ts'
import { truthOf } from './truth.ts'

const attributes = { population: { id: 'staff' }, mfaEnabled: true, level: 3, emails: ['a@b'], nickname: null }

suite('equals', () => {
  test('compares strings and booleans exactly, numbers in their decimal form', () => {
    assert.equal(truthOf({ value: '${user.population.id}', equals: 'staff' }, { attributes }), 'true')
    assert.equal(truthOf({ value: '${user.population.id}', equals: 'Staff' }, { attributes }), 'false')
    assert.equal(truthOf({ value: '${user.mfaEnabled}', equals: true }, { attributes }), 'true')
    assert.equal(truthOf({ value: '${user.mfaEnabled}', equals: 'true' }, { attributes }), 'false')
    assert.equal(truthOf({ value: '${user.level}', equals: '3' }, { attributes }), 'true')
  })

  test('is unknown without a user, an attribute, or a single value, also under not', () => {
    assert.equal(truthOf({ value: '${user.population.id}', equals: 'staff' }), 'unknown')
    for (const path of ['missing', 'nickname', 'population', 'emails', 'population.id.length', 'level.toFixed']) {
      const json = { value: `\${user.${path}}`, equals: 'x' }
      assert.equal(truthOf(json, { attributes }), 'unknown', path)
      assert.equal(truthOf({ not: json }, { attributes }), 'unknown', path)
    }
  })

  test('does not see what an object inherits', () => {
    for (const path of ['constructor.name', 'toString', 'population.constructor.name']) {
      assert.equal(truthOf({ value: `\${user.${path}}`, equals: 'Object' }, { attributes }), 'unknown', path)
    }
  })

  test('refuses other values when written', () => {
    for (const value of [
      'user.id',
      '${user}',
      '${session.id}',
      '${user.__proto__.x}',
      '${user.a.b.c.d.e.f}',
      '${user.a b}',
    ]) {
      assert.equal(readCondition({ value, equals: 'x' }).problems.length, 1, value)
    }
    assert.equal(readCondition({ value: '${user.level}', equals: 3 }).problems.length, 1)
  })
})
