/** FIDO2 credentials: which answers prove them. Rows L22-L29, L31, L32. */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { suite, test } from 'node:test'
import { type Fido2Credential, relyingParty, verifyAssertion, verifyAttestation } from '../../src/directory/fido2.ts'
import { type ChallengeFor, challengeFor } from '../../src/directory/fido2-options.ts'
import { bootstrapFido2Policies } from '../../src/environment/fido2-policy.ts'
import { type Said, SoftwareAuthenticator } from '../harness/software-authenticator.ts'

const challenge = Buffer.alloc(32, 7).toString('base64url')
const party = relyingParty({ authUrl: 'https://auth.example.com', apiUrl: 'https://api.example.com' })
const [passkeys, securityKeys] = bootstrapFido2Policies()
assert.ok(passkeys && securityKeys)
const expected = { relyingParty: party, challenge, policy: passkeys, roots: [], now: Date.now() }
const honest: Said = { challenge, origin: party.origin, rpId: party.id }
const userId = '0b9f4c3e-7f0e-4d0e-9b6a-5d0c1b7a2f11'
const someoneElse = '7c6b1f52-1a53-4a27-8f0b-8f7d5f0f9a44'

async function registered(authenticator: SoftwareAuthenticator, said: Said = honest): Promise<Fido2Credential> {
  const credential = await verifyAttestation(authenticator.attest(said), expected)
  assert.ok(credential)
  return credential
}

/** What both ceremonies refuse. */
const lies: Readonly<Record<string, Partial<Said>>> = {
  'L22: the challenge of another flow': { challenge: Buffer.alloc(32, 8).toString('base64url') },
  'L22, L24: the answer to the other ceremony': { type: 'webauthn.other' },
  'L23: another origin': { origin: 'https://evil.example' },
  'L23: a subdomain': { origin: 'https://a.auth.example.com' },
  'L23: another port': { origin: 'https://auth.example.com:8443' },
  'L23: plain http': { origin: 'http://auth.example.com' },
  'L23: the origin null': { origin: 'null' },
  'L23: an embedded page': { more: { crossOrigin: true } },
  'L23: a page that embeds it': { more: { topOrigin: 'https://evil.example' } },
  'L24: another relying party': { rpId: 'evil.example' },
  'L25: nobody present': { isPresent: false },
  'L25: nobody verified': { isVerified: false },
  'L31: backed up, yet not eligible for it': { isBackedUp: true },
  'L32: trailing bytes': { trailing: Buffer.from([0, 1, 2]) },
}

suite('an attestation', () => {
  test('gives the credential', async () => {
    const authenticator = new SoftwareAuthenticator()
    const credential = await registered(authenticator)
    assert.equal(credential.id, authenticator.credentialId.toString('base64url'))
    assert.deepEqual([credential.signCount, credential.isBackupEligible], [1, false])
  })

  for (const [name, lie] of Object.entries(lies)) {
    test(`is refused: ${name}`, async () => {
      const answer = new SoftwareAuthenticator().attest({ ...honest, ...lie })
      assert.equal(await verifyAttestation(answer, expected), undefined)
    })
  }

  test('L22: an assertion is none', async () => {
    assert.equal(await verifyAttestation(new SoftwareAuthenticator().assert(honest), expected), undefined)
  })

  test('L32: what is malformed, too deep or too long is refused at once', async () => {
    const bomb = Buffer.alloc(6000, 0x81).toString('base64url')
    const whole = JSON.parse(new SoftwareAuthenticator().attest(honest))
    const answers = [
      '',
      'null',
      '[]',
      '{"id":[]}',
      JSON.stringify({ ...whole, response: { ...whole.response, attestationObject: bomb } }),
      JSON.stringify({ ...whole, response: { ...whole.response, clientDataJSON: 'bnVsbA' } }),
      new SoftwareAuthenticator(Buffer.alloc(1024, 1)).attest(honest),
    ]
    for (const answer of answers) assert.equal(await verifyAttestation(answer, expected), undefined, answer)
  })
})

suite('an assertion', () => {
  const proves = async (authenticator: SoftwareAuthenticator, credential: Fido2Credential, said: Said = honest) =>
    verifyAssertion(authenticator.assert(said), credential, { ...expected, userId })

  test('proves the credential and moves its counter', async () => {
    const authenticator = new SoftwareAuthenticator()
    assert.equal(await proves(authenticator, await registered(authenticator), { ...honest, userHandle: userId }), 2)
  })

  test('may be in standard base64, with padding', async () => {
    const authenticator = new SoftwareAuthenticator()
    const credential = await registered(authenticator)
    const sent = JSON.parse(authenticator.assert(honest))
    for (const name of ['authenticatorData', 'clientDataJSON', 'signature']) {
      sent.response[name] = Buffer.from(sent.response[name], 'base64url').toString('base64')
    }
    assert.equal(await verifyAssertion(JSON.stringify(sent), credential, { ...expected, userId }), 2)
  })

  for (const [name, lie] of Object.entries(lies)) {
    test(`is refused: ${name}`, async () => {
      const authenticator = new SoftwareAuthenticator()
      const credential = await registered(authenticator)
      assert.equal(await proves(authenticator, credential, { ...honest, ...lie }), undefined)
    })
  }

  test('L22: an attestation is none', async () => {
    const authenticator = new SoftwareAuthenticator()
    const credential = await registered(authenticator)
    assert.equal(await verifyAssertion(authenticator.attest(honest), credential, { ...expected, userId }), undefined)
  })

  test('L26: is refused when signed by another key, or over other data', async () => {
    const authenticator = new SoftwareAuthenticator()
    const credential = await registered(authenticator)
    assert.equal(await proves(new SoftwareAuthenticator(authenticator.credentialId), credential), undefined)
    const sent = JSON.parse(authenticator.assert(honest))
    sent.response.authenticatorData = JSON.parse(authenticator.assert(honest)).response.authenticatorData
    assert.equal(await verifyAssertion(JSON.stringify(sent), credential, { ...expected, userId }), undefined)
  })

  test('L27: a counter goes forward, or is none at all', async () => {
    const authenticator = new SoftwareAuthenticator()
    const credential = { ...(await registered(authenticator)), signCount: 10 }
    for (const [counter, result] of [[9], [10], [11, 11], [0]] as const) {
      assert.equal(await proves(authenticator, credential, { ...honest, counter }), result, String(counter))
    }
    assert.equal(await proves(authenticator, { ...credential, signCount: 0 }, { ...honest, counter: 0 }), 0)
  })

  test("L28: somebody else's credential, or one that names somebody else, is refused", async () => {
    const authenticator = new SoftwareAuthenticator()
    const credential = await registered(authenticator)
    assert.equal(await proves(new SoftwareAuthenticator(), credential), undefined)
    assert.equal(await proves(authenticator, credential, { ...honest, userHandle: someoneElse }), undefined)
    const other = new SoftwareAuthenticator().credentialId.toString('base64url')
    const renamed = JSON.stringify({ ...JSON.parse(authenticator.assert(honest)), id: other, rawId: other })
    assert.equal(await verifyAssertion(renamed, credential, { ...expected, userId }), undefined)
  })

  test('L31: whether a credential may be copied never changes', async () => {
    const authenticator = new SoftwareAuthenticator()
    const credential = await registered(authenticator)
    assert.equal(await proves(authenticator, credential, { ...honest, isBackupEligible: true }), undefined)
  })
})

suite('by another policy', () => {
  test('L25: nobody has to be verified, but somebody be present', async () => {
    const lenient = { ...expected, policy: securityKeys }
    const authenticator = new SoftwareAuthenticator()
    const credential = await verifyAttestation(authenticator.attest({ ...honest, isVerified: false }), lenient)
    assert.ok(credential)
    const unverified = authenticator.assert({ ...honest, isVerified: false })
    assert.equal(await verifyAssertion(unverified, credential, { ...lenient, userId }), 2)
    assert.equal(await verifyAssertion(unverified, credential, { ...expected, userId }), undefined)
    const absent = authenticator.assert({ ...honest, isVerified: false, isPresent: false })
    assert.equal(await verifyAssertion(absent, credential, { ...lenient, userId }), undefined)
  })

  test('a credential that may be copied is refused, when it is made and when it is used', async () => {
    const strict = { ...expected, policy: securityKeys }
    const copied = { ...honest, isBackupEligible: true }
    const authenticator = new SoftwareAuthenticator()
    assert.equal(await verifyAttestation(authenticator.attest(copied), strict), undefined)
    const credential = await verifyAttestation(authenticator.attest(copied), expected)
    assert.ok(credential?.isBackupEligible)
    assert.equal(await verifyAssertion(authenticator.assert(copied), credential, { ...strict, userId }), undefined)
    assert.ok(await verifyAssertion(authenticator.assert(copied), credential, { ...expected, userId }))
  })
})

test('L22: a challenge is of one environment, use and time', () => {
  const one = { id: 'e1', dataKey: createSecretKey(Buffer.alloc(32, 1)) }
  const asked: ChallengeFor = { kind: 'assertion', flowId: 'f', challengedAt: 1 }
  const made: ChallengeFor = { kind: 'attestation', userId: 'u', deviceId: 'd', createdAt: 1 }
  const challenges = [
    challengeFor(one, asked),
    challengeFor({ ...one, id: 'e2' }, asked),
    challengeFor({ ...one, dataKey: createSecretKey(Buffer.alloc(32, 2)) }, asked),
    challengeFor(one, { ...asked, flowId: 'g' }),
    challengeFor(one, { ...asked, challengedAt: 2 }),
    challengeFor(one, made),
    challengeFor(one, { ...made, userId: 'v' }),
    challengeFor(one, { ...made, deviceId: 'e' }),
    challengeFor(one, { ...made, createdAt: 2 }),
  ]
  assert.equal(new Set(challenges).size, challenges.length)
  assert.equal(challengeFor(one, asked), challenges[0])
})
