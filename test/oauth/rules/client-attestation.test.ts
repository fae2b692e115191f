import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { attestationProblem, attestedKey, isAttestationProof } from '../../../src/oauth/rules/client-attestation.ts'

const now = 1_800_000_000_000
const seconds = now / 1000
const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }

suite('client attestations', () => {
  const header = { typ: 'oauth-client-attestation+jwt', alg: 'ES256' }
  const good = { iss: 'https://attester.test', sub: 'client', exp: seconds + 300, cnf: { jwk } }
  const judge = (claims: object, other: object = header) =>
    attestationProblem({ header: { ...other }, claims: { ...claims } }, { clientId: 'client', now })

  test('what an attestation has to say', () => {
    assert.equal(judge(good), undefined)
    assert.equal(judge({ ...good, iat: seconds, nbf: seconds + 59, whatever: 1 }), undefined)
    assert.equal(judge({ ...good, exp: seconds - 59 }), undefined)
    assert.equal(judge({ ...good, exp: seconds - 60 }), 'stale')
    const wrong: readonly object[] = [
      { iss: undefined },
      { sub: undefined },
      { sub: 'other' },
      { exp: undefined },
      { exp: 'soon' },
      { iat: seconds + 61 },
      { nbf: seconds + 61 },
      { cnf: undefined },
      { cnf: { jkt: 'x' } },
      { cnf: { jwk: { ...jwk, d: 'x' } } },
      { cnf: { jwk: { kty: 'oct', k: 'x' } } },
    ]
    for (const changes of wrong) assert.equal(judge({ ...good, ...changes }), 'invalid', JSON.stringify(changes))
    for (const other of [{ typ: 'JWT' }, { typ: undefined }, { alg: 'none' }, { alg: 'HS256' }, { alg: undefined }]) {
      assert.equal(judge(good, { ...header, ...other }), 'invalid', JSON.stringify(other))
    }
  })

  test('the key of the instance', () => {
    assert.deepEqual(attestedKey({ cnf: { jwk } }), jwk)
    for (const cnf of [undefined, null, 'x', {}, { jwk: [jwk] }, { jwk: null }, { jwk: {} }]) {
      assert.equal(attestedKey({ cnf }), undefined)
    }
  })

  test('what the proof beside it has to say', () => {
    const proofHeader = { typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' }
    const proof = { iss: 'client', aud: 'https://op/as', jti: 'a', iat: seconds }
    const expectations = { clientId: 'client', issuer: 'https://op/as', now }
    const holds = (claims: object, other: object = proofHeader) =>
      isAttestationProof({ header: { ...other }, claims: { ...claims } }, expectations)
    for (const changes of [{}, { iss: undefined }, { iat: seconds - 60 }, { nbf: seconds, exp: seconds + 1 }]) {
      assert.ok(holds({ ...proof, ...changes }), JSON.stringify(changes))
    }
    const wrong: readonly object[] = [
      { iss: 'other' },
      { aud: 'https://other/as' },
      { aud: ['https://op/as'] },
      { aud: undefined },
      { jti: undefined },
      { jti: '' },
      { iat: undefined },
      { iat: seconds - 61 },
      { iat: seconds + 61 },
      { nbf: seconds + 61 },
      { exp: seconds - 60 },
      { exp: 'x' },
    ]
    for (const changes of wrong) assert.ok(!holds({ ...proof, ...changes }), JSON.stringify(changes))
    for (const other of [{ typ: 'oauth-client-attestation+jwt' }, { typ: 'JWT' }, { alg: 'HS256' }, { alg: 'none' }]) {
      assert.ok(!holds(proof, { ...proofHeader, ...other }), JSON.stringify(other))
    }
  })
})
