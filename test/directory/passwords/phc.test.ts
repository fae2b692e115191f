import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { argon2Cost, currentCost, dummyHash } from '../../../src/directory/passwords/phc.ts'
import { needsRehash } from '../../../src/directory/passwords/stored-hash.ts'

const dummy = dummyHash(currentCost)

const tail = '$c2FsdHNhbHRzYWx0c2FsdA$YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE'
const current = `$argon2id$v=19$m=19456,t=2,p=1${tail}`

suite('stored hashes', () => {
  test('a current hash is read and kept', () => {
    assert.deepEqual(argon2Cost(current), { memory: 19_456, passes: 2, lanes: 1 })
    assert.equal(needsRehash(current, currentCost), false)
    assert.deepEqual(argon2Cost(dummy), argon2Cost(current))
  })

  for (const cost of ['m=7168,t=5,p=1', 'm=47104,t=1,p=1', 'm=65536,t=3,p=4', 'm=8,t=1,p=1', 'm=19456,t=2,p=2']) {
    test(`K27: ${cost} is computed, and replaced`, () => {
      assert.ok(argon2Cost(`$argon2id$v=19$${cost}${tail}`))
      assert.ok(needsRehash(`$argon2id$v=19$${cost}${tail}`, currentCost))
    })
  }

  for (const hash of [
    `$argon2id$v=19$m=4194304,t=2,p=1${tail}`,
    `$argon2id$v=19$m=131072,t=10,p=1${tail}`,
    `$argon2id$v=19$m=19456,t=99,p=1${tail}`,
    `$argon2id$v=19$m=19456,t=2,p=99${tail}`,
    `$argon2id$v=19$m=19456,t=0,p=1${tail}`,
    `$argon2id$v=19$m=7,t=2,p=1${tail}`,
    `$argon2id$v=19$m=1e9,t=2,p=1${tail}`,
    `$argon2id$v=16$m=19456,t=2,p=1${tail}`,
    `$argon2i$v=19$m=19456,t=2,p=1${tail}`,
    `$argon2d$v=19$m=19456,t=2,p=1${tail}`,
    `$argon2id$m=19456,t=2,p=1${tail}`,
    '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$YWFh',
    '$2b$31$abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzab',
    `${current}\n`,
    ` ${current}`,
    `${current}$`,
    '',
    'garbage',
  ]) {
    test(`K26: ${JSON.stringify(hash.slice(0, 40))} is never computed`, () => {
      assert.equal(argon2Cost(hash), undefined)
      assert.ok(needsRehash(hash, currentCost))
    })
  }
})
