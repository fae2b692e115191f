import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { hashPassword, verifyPassword } from '../../../src/directory/passwords/hash.ts'
import { argon2Cost, currentCost, dummyHash } from '../../../src/directory/passwords/phc.ts'

const dummy = dummyHash(currentCost)

const bytes = (text: string) => Buffer.from(text)
const salt = bytes('sixteen bytes ..')

suite('argon2id', () => {
  test('makes PHC strings of the current cost that name the given salt', async () => {
    const hash = hashPassword(bytes('secret'), salt, currentCost)
    assert.deepEqual(argon2Cost(hash), currentCost)
    assert.ok(hash.includes(salt.toString('base64').replaceAll('=', '')))
    assert.equal(hash, hashPassword(bytes('secret'), salt, currentCost))
  })

  test('verifies what a reference implementation made', async () => {
    // Made with the argon2 command of the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1
    const hash = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    assert.ok(await verifyPassword({ phc: hash }, bytes('password')))
    assert.ok(!(await verifyPassword({ phc: hash }, bytes('Password'))))
  })

  test('K23: every byte counts, far beyond 72 and through NUL', async () => {
    const long = 'p'.repeat(1000)
    const phc = hashPassword(bytes(`${long}a`), salt, currentCost)
    assert.ok(await verifyPassword({ phc }, bytes(`${long}a`)))
    assert.ok(!(await verifyPassword({ phc }, bytes(`${long}b`))))
    assert.ok(!(await verifyPassword({ phc: hashPassword(bytes('a\u0000b'), salt, currentCost) }, bytes('a\u0000c'))))
  })

  test('the dummy hash is computed like any other', async () => {
    assert.equal(await verifyPassword({ phc: dummy }, bytes('')), false)
  })
})
