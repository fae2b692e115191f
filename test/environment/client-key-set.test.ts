import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { suite, test } from 'node:test'
import { keySetProblem } from '../../src/environment/client-key-set.ts'

const set = (...keys: readonly object[]) => JSON.stringify({ keys })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ecJwk = ec.publicKey.export({ format: 'jwk' })
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' })

suite('the key set of an application', () => {
  test('public keys of every kind that clients sign with', () => {
    const ed = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
    assert.equal(keySetProblem(set(ecJwk, ed, rsa(2048))), undefined)
  })

  const refused: Readonly<Record<string, readonly [string, RegExp]>> = {
    'no JSON': ['{', /JSON Web Key Set/],
    'no keys': [set(), /at least one key/],
    'a list': ['[]', /JSON Web Key Set/],
    'a key that is a text': ['{"keys":["a"]}', /objects/],
    'a private key': [set(ec.privateKey.export({ format: 'jwk' })), /public keys only/],
    'a symmetric key': [set({ kty: 'oct', k: 'AAAA' }), /public keys only/],
    'a symmetric key without its value': [set({ kty: 'oct' }), /types RSA, EC and OKP/],
    'a weak RSA key': [set(rsa(1024)), /2048 bits/],
    'a curve of another trade': [set({ kty: 'EC', crv: 'secp256k1', x: ecJwk.x, y: ecJwk.y }), /curves/],
    'a point that is on no curve': [set({ ...ecJwk, y: ecJwk.x }), /well-formed/],
    'too many keys': [set(...Array.from({ length: 21 }, () => ecJwk)), /more than 20/],
    'a member twice': ['{"keys":[],"keys":[]}', /JSON Web Key Set/],
    'a text without end': [' '.repeat(40_000), /longer/],
  }
  for (const [name, [text, problem]] of Object.entries(refused)) {
    test(`refused: ${name}`, () => assert.match(keySetProblem(text) ?? '', problem))
  }
})
