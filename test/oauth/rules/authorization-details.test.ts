/** PURE: `authorization_details`, RFC 9396 sections 2, 5, 6. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assert as holds, jsonValue, property } from 'fast-check'
import {
  authorizationDetailsType,
  inWords,
  narrowAuthorizationDetails,
  readAuthorizationDetails,
} from '../../../src/oauth/rules/authorization-details.ts'

const payment = authorizationDetailsType.parse({
  type: 'payment_initiation',
  description: 'Pay',
  members: [
    { name: 'locations', kind: 'STRINGS' },
    { name: 'actions', kind: 'STRINGS', required: true, allowedValues: ['initiate', 'cancel'] },
    {
      name: 'instructedAmount',
      label: 'Amount',
      kind: 'OBJECT',
      required: true,
      members: [
        { name: 'currency', kind: 'STRING', required: true, allowedValues: ['EUR'] },
        { name: 'amount', kind: 'STRING', required: true },
      ],
    },
    { name: 'urgent', kind: 'BOOLEAN' },
    { name: 'limit', kind: 'NUMBER' },
    { name: 'constructor', kind: 'STRING' },
  ],
})
const account = authorizationDetailsType.parse({ type: 'account', description: 'See your accounts' })
const declared = [payment, account]
const all = declared.map(({ type }) => type)

const pay = {
  type: 'payment_initiation',
  actions: ['initiate'],
  instructedAmount: { currency: 'EUR', amount: '123.50' },
}
const read = (value: unknown, allowed: readonly string[] = all) =>
  readAuthorizationDetails(typeof value === 'string' ? value : JSON.stringify(value), declared, allowed)
const isRefused = (value: unknown, allowed?: readonly string[]) => 'refused' in read(value, allowed)

suite('authorization_details', () => {
  test('what is declared is read, and shown in words', () => {
    const result = read([pay, { type: 'account' }, { ...pay, urgent: true, limit: 5, locations: ['https://a.test'] }])
    assert.ok('details' in result)
    assert.equal(result.details.length, 3)
    assert.deepEqual(inWords(result.details, declared)[0], {
      description: 'Pay',
      lines: [
        { label: 'actions', value: 'initiate' },
        { label: 'Amount: currency', value: 'EUR' },
        { label: 'Amount: amount', value: '123.50' },
      ],
    })
    assert.deepEqual(inWords(result.details, declared)[2]?.lines.slice(-2), [
      { label: 'urgent', value: 'true' },
      { label: 'limit', value: '5' },
    ])
  })

  test('types: unknown, not allowed, missing', () => {
    for (const value of [
      [{ type: 'other' }],
      [{}],
      [{ type: 7 }],
      [pay, { type: 'other' }],
      [{ type: 'constructor' }],
    ]) {
      assert.ok(isRefused(value), JSON.stringify(value))
    }
    assert.ok(isRefused([pay], ['account']))
    assert.ok(isRefused([pay], []))
    assert.ok(!isRefused([{ type: 'account' }], ['account']))
  })

  test('members: what nobody declared, missing ones, other kinds, other values', () => {
    const table: readonly object[] = [
      { ...pay, creditor: 'x' },
      { ...pay, actions: undefined },
      { ...pay, actions: 'initiate' },
      { ...pay, actions: [] },
      { ...pay, actions: ['steal'] },
      { ...pay, actions: Array.from({ length: 51 }, () => 'initiate') },
      { ...pay, instructedAmount: [] },
      { ...pay, instructedAmount: { currency: 'EUR' } },
      { ...pay, instructedAmount: { currency: 'USD', amount: '1' } },
      { ...pay, instructedAmount: { currency: 'EUR', amount: 1 } },
      { ...pay, instructedAmount: { currency: 'EUR', amount: '1', more: '2' } },
      { ...pay, instructedAmount: { currency: 'EUR', amount: '1'.repeat(1025) } },
      { ...pay, urgent: 'true' },
      { ...pay, limit: '5' },
      { ...pay, limit: null },
      { type: 'account', extra: {} },
    ]
    for (const value of table) assert.ok(isRefused([value]), JSON.stringify(value).slice(0, 80))
    assert.ok(isRefused(`[{"type":"account","__proto__":{"x":1}}]`))
    assert.ok(!isRefused([{ ...pay }]), 'a member of the prototype is not there')
  })

  test('the whole: a list of at most ten objects, not too long', () => {
    for (const value of ['', 'x', '{}', '[]', 'null', '[[]]', '[null]', '["account"]'])
      assert.ok(isRefused(value), value)
    assert.ok(!isRefused(Array.from({ length: 10 }, () => ({ type: 'account' }))))
    assert.ok(isRefused(Array.from({ length: 11 }, () => ({ type: 'account' }))))
    assert.ok(isRefused(`[{"type":"account"}]${' '.repeat(16_384)}`))
  })

  test('6.1: a token gets all of a grant, or what is named of it, in whatever order its members are', () => {
    const result = read([pay, { type: 'account' }])
    assert.ok('details' in result)
    const { details } = result
    const named = (value: unknown) => narrowAuthorizationDetails(details, JSON.stringify(value))
    assert.deepEqual(narrowAuthorizationDetails(details, undefined), { details })
    const { type, ...members } = pay
    assert.deepEqual(named([{ ...members, type }]), { details: [details[0]] })
    const otherAmount = { ...pay, instructedAmount: { currency: 'EUR', amount: '999' } }
    for (const value of [[otherAmount], [{ type: 'payment_initiation' }], [pay, { type: 'other' }], [], {}, null]) {
      assert.ok('refused' in named(value), JSON.stringify(value))
    }
  })

  test('whatever is sent, it is refused or has nothing but what is declared', () => {
    holds(
      property(jsonValue(), jsonValue(), (any, inner) => {
        for (const value of [any, [any], [{ type: 'account', x: any }], [{ ...pay, instructedAmount: inner }]]) {
          const result = read(JSON.stringify(value))
          if ('refused' in result) continue
          for (const detail of result.details) assert.ok(all.includes(detail.type))
        }
      }),
    )
  })
})
