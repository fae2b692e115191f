import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { pathLookup } from '../../src/http/paths.ts'

const find = pathLookup([
  ['/v1/things', 'things'],
  ['/v1/things/{thingId}', 'thing'],
  ['/v1/things/mine', 'mine'],
  ['/v1/things/mine/{part}/deep', 'part of mine'],
  ['/v1/things/{thingId}/parts', 'parts'],
  ['/{place}/signon/', 'signon'],
  ['/__proto__/{constructor}', 'words of prototypes'],
])

suite('lookup of paths', () => {
  const found: readonly (readonly [target: string, value: string, params: object])[] = [
    ['/v1/things', 'things', {}],
    ['/v1/things?filter=a/b', 'things', {}],
    ['/v1/things#x', 'things', {}],
    ['/v1/things/1', 'thing', { thingId: '1' }],
    ['/v1/things/a%2fb', 'thing', { thingId: 'a/b' }],
    ['/v1/things/%252f', 'thing', { thingId: '%2f' }],
    ['/v1/things/..', 'thing', { thingId: '..' }],
    ['/v1/things/mine', 'mine', {}],
    ['/v1/things/mine/parts', 'parts', { thingId: 'mine' }],
    ['/v1/things/mine/x/deep', 'part of mine', { part: 'x' }],
    ['/%76%31/things', 'things', {}],
    ['/x/signon/', 'signon', { place: 'x' }],
    ['/__proto__/x', 'words of prototypes', { constructor: 'x' }],
  ]
  for (const [target, value, params] of found) {
    test(`${target} is ${value}`, () => assert.deepEqual<unknown>(find(target), { value, params }))
  }

  for (const target of [
    '/',
    '',
    '*',
    '/v1',
    '/V1/things',
    '/v1/things/',
    '//v1/things',
    '/v1//things',
    '/v1/./things',
    '/v1/x/../things',
    '/v1%2fthings',
    '/v1/things%20',
    '/v1/things/%',
    '/v1/things/%ff',
    '/v1/things/%c0%af',
    '/v1/things/1/parts/2',
    '/v1/things/mine/x',
    `/v1/things/${'x'.repeat(201)}`,
    '//signon/',
    '/x/signon',
    '/constructor/x',
    '/__proto__/',
  ]) {
    test(`N28: nothing stands at ${target.slice(0, 40) || 'nothing'}`, () => assert.equal(find(target), undefined))
  }

  test('what was found before is found again, also once more targets came than are remembered', () => {
    for (let round = 0; round < 2; round += 1) {
      for (let at = 0; at < 600; at += 1) {
        assert.deepEqual<unknown>(find(`/v1/things/${at}`), { value: 'thing', params: { thingId: `${at}` } })
        assert.deepEqual<unknown>(find(`/v1/things/${at}?a`), { value: 'thing', params: { thingId: `${at}` } })
        assert.deepEqual<unknown>(find(`/v1/things/${at}/parts`), { value: 'parts', params: { thingId: `${at}` } })
        assert.equal(find(`/v1/things/${at}/`), undefined)
      }
      assert.deepEqual<unknown>(find('/v1/things/mine'), { value: 'mine', params: {} })
    }
  })
})
