/**
 * Attestations: which are believed, and what policies make of that. Web Authentication Level 3 sections 7.1, 8; platform-api
 * 3.14.4; rows G01, L30.
 */
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { hash, sign } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Extension } from '@peculiar/x509'
import { type ExpectedNew, relyingParty, verifyAssertion, verifyAttestation } from '../../src/directory/fido2.ts'
import { bootstrapFido2Policies, type Fido2Policy, fido2PolicyProblems } from '../../src/environment/fido2-policy.ts'
import { authority, certificate, type Content, type Held } from '../harness/client-certificates.ts'
import { type Said, type Signed, SoftwareAuthenticator, type Statement } from '../harness/software-authenticator.ts'
import { startWebhookEndpoint, type WebhookEndpoint } from '../harness/webhook-endpoint.ts'

const party = relyingParty({ authUrl: 'https://auth.example.com', apiUrl: 'https://auth.example.com' })
const challenge = Buffer.alloc(32, 7).toString('base64url')
const [passkeys] = bootstrapFido2Policies()
assert.ok(passkeys)
const day = 86_400_000
const model = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const aaguid = '00112233-4455-6677-8899-aabbccddeeff'
const honest: Said = { challenge, origin: party.origin, rpId: party.id, aaguid: model }

type Requirements = Fido2Policy['mdsAuthenticatorsRequirements']
const policy = (
  attestationRequirements: 'DIRECT' | 'NONE',
  option: Requirements['option'] = 'NONE',
  more: Partial<Requirements> = {},
): Fido2Policy => ({
  ...passkeys,
  attestationRequirements,
  mdsAuthenticatorsRequirements: { enforceDuringAuthentication: false, option, ...more },
})
const unasked = policy('NONE')
const demanded = policy('DIRECT')
const listed = policy('DIRECT', 'SPECIFIC', { allowedAuthenticators: [{ id: aaguid.toUpperCase() }] })
const otherListed = policy('DIRECT', 'SPECIFIC', { allowedAuthenticators: [{ id: aaguid.replace('0', '1') }] })

const attesting = [{ C: ['DE'] }, { O: ['Example'] }, { OU: ['Authenticator Attestation'] }, { CN: ['Model'] }]
const ofModel = (of: Buffer) =>
  new Extension('1.3.6.1.4.1.45724.1.1.4', false, Buffer.concat([Buffer.from([4, 16]), of]))

/** DER of an element; the number of a context tag may be long. */
function der(tag: number | readonly number[], ...content: readonly Buffer[]): Buffer {
  const inner = Buffer.concat(content)
  const length = inner.length < 128 ? [inner.length] : [0x81, inner.length]
  return Buffer.concat([Buffer.from([...[tag].flat(), ...length]), inner])
}
const purposeTag = 0xa1
const originTag = [0xbf, 0x85, 0x3e]
const allApplicationsTag = [0xbf, 0x84, 0x58]
const integer = (value: number, tag = 0x02) => der(tag, Buffer.from([value]))

/** Android's description of a key. */
function keyDescription(clientDataHash: Buffer, hardware: readonly Buffer[], software: readonly Buffer[] = []): Buffer {
  return der(
    0x30,
    integer(4),
    integer(1, 0x0a),
    integer(4),
    integer(1, 0x0a),
    der(0x04, clientDataHash),
    der(0x04),
    der(0x30, ...software),
    der(0x30, ...hardware),
  )
}
const madeInHardware = [der(purposeTag, der(0x31, integer(2))), der(originTag, integer(0))]

suite('attestation', () => {
  let root: Held
  let maker: Held
  let leaf: Held
  let endpoint: WebhookEndpoint
  before(async () => {
    root = await authority('Maker Root')
    maker = await authority('Maker', { issuer: root })
    leaf = await attestationCertificate()
    endpoint = await startWebhookEndpoint()
  })
  after(() => endpoint.close())

  const attestationCertificate = (more: Content = {}) =>
    certificate({ subject: attesting, issuer: maker, purposes: 'any', extensions: [ofModel(model)], ...more })
  const expecting = (by: Fido2Policy, more: Partial<ExpectedNew> = {}): ExpectedNew => ({
    relyingParty: party,
    challenge,
    policy: by,
    roots: [root.cert],
    now: Date.now(),
    ...more,
  })
  const packed =
    (held: Held | undefined, chain: readonly Held[] = [maker], key = held?.privateKey) =>
    ({ authData, clientDataHash, keys }: Signed): Statement => {
      const signature = sign('sha256', Buffer.concat([authData, clientDataHash]), key ?? keys.privateKey)
      const x5c = held ? [['x5c', [held, ...chain].map((each) => each.certificate.raw)] as const] : []
      return { fmt: 'packed', attStmt: new Map<string, unknown>([['alg', -7], ['sig', signature], ...x5c]) }
    }
  /** What comes of an attestation: `no`, or how far it is believed. */
  async function outcome(said: Said, expected: ExpectedNew): Promise<string> {
    const credential = await verifyAttestation(new SoftwareAuthenticator().attest(said), expected)
    if (!credential) return 'no'
    const { format, isTrusted } = credential.attestation ?? {}
    return `${format} ${isTrusted ? 'trusted' : 'not trusted'}`
  }

  test('L30: what a policy demands, and what it does not', async () => {
    const none = honest
    const self = { ...honest, statement: packed(undefined) }
    const full = { ...honest, statement: packed(leaf) }
    const table: readonly (readonly [string, Said, Fido2Policy, string])[] = [
      ['unasked', none, unasked, 'none not trusted'],
      ['unasked', self, unasked, 'packed not trusted'],
      ['unasked', full, unasked, 'packed trusted'],
      ['demanded', none, demanded, 'no'],
      ['demanded', self, demanded, 'no'],
      ['demanded', full, demanded, 'packed trusted'],
      ['listed', none, listed, 'no'],
      ['listed', self, listed, 'no'],
      ['listed', full, listed, 'packed trusted'],
      ['another listed', full, otherListed, 'no'],
      ['noted', none, policy('DIRECT', 'AUDIT_ONLY'), 'none not trusted'],
      ['noted', full, policy('DIRECT', 'AUDIT_ONLY'), 'packed trusted'],
    ]
    for (const [name, said, by, expected] of table) {
      assert.equal(await outcome(said, expecting(by)), expected, `${name}: ${expected}`)
    }
  })

  test('L30: nobody is trusted who was not named', async () => {
    const full = { ...honest, statement: packed(leaf) }
    const stranger = await authority('Maker Root')
    for (const roots of [[], [''], [stranger.cert], [(await authority('Maker', { issuer: stranger })).cert]]) {
      assert.equal(await outcome(full, expecting(demanded, { roots })), 'no')
      assert.equal(await outcome(full, expecting(unasked, { roots })), 'packed not trusted')
    }
    assert.equal(await outcome(full, expecting(demanded, { roots: [maker.cert] })), 'packed trusted')
    const alone = { ...honest, statement: packed(leaf, []) }
    assert.equal(await outcome(alone, expecting(demanded)), 'no', 'the certificate between is missing')
    assert.equal(await outcome(alone, expecting(demanded, { roots: [leaf.cert] })), 'packed trusted')
    const withRoot = { ...honest, statement: packed(leaf, [maker, root]) }
    assert.equal(await outcome(withRoot, expecting(demanded)), 'packed trusted')
    const ownRoot = await authority('Own')
    const ofOwn = await attestationCertificate({ issuer: ownRoot })
    assert.equal(await outcome({ ...honest, statement: packed(ofOwn, [ownRoot]) }, expecting(demanded)), 'no')
  })

  test('L30: certificates out of their time, of another model, by no authority, and signatures by others', async () => {
    const expired = await attestationCertificate({ notBefore: Date.now() - 2 * day, notAfter: Date.now() - day })
    const ofOther = await attestationCertificate({ extensions: [ofModel(Buffer.alloc(16, 9))] })
    const noAuthority = await certificate({ subject: [{ CN: ['No authority'] }], issuer: root })
    const oldMaker = await authority('Old', { issuer: root, notAfter: Date.now() - 1000 })
    const lies: Readonly<Record<string, Said>> = {
      expired: { ...honest, statement: packed(expired) },
      'of another model': { ...honest, statement: packed(ofOther) },
      'no authority between': {
        ...honest,
        statement: packed(await attestationCertificate({ issuer: noAuthority }), [noAuthority]),
      },
      'an expired authority between': {
        ...honest,
        statement: packed(await attestationCertificate({ issuer: oldMaker }), [oldMaker]),
      },
      'not signed by it': { ...honest, statement: packed(leaf, [maker], maker.privateKey) },
      'over something else': {
        ...honest,
        statement: (signed) => packed(leaf)({ ...signed, authData: Buffer.concat([signed.authData, Buffer.alloc(1)]) }),
      },
    }
    for (const [name, said] of Object.entries(lies)) assert.equal(await outcome(said, expecting(demanded)), 'no', name)
    const full = { ...honest, statement: packed(leaf) }
    assert.equal(await outcome(full, expecting(demanded, { now: Date.now() + 2 * day })), 'no', 'later')
  })

  test('fido-u2f and apple', async () => {
    const u2f =
      (held: Held) =>
      ({ authData, clientDataHash, credentialId, keys }: Signed): Statement => {
        const { x = '', y = '' } = keys.publicKey.export({ format: 'jwk' })
        const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
        const over = Buffer.concat([Buffer.alloc(1), authData.subarray(0, 32), clientDataHash, credentialId, point])
        const sig = sign('sha256', over, held.privateKey)
        return {
          fmt: 'fido-u2f',
          attStmt: new Map<string, unknown>([
            ['x5c', [held.certificate.raw, maker.certificate.raw]],
            ['sig', sig],
          ]),
        }
      }
    const bare = { ...honest, aaguid: Buffer.alloc(16) }
    assert.equal(await outcome({ ...bare, statement: u2f(leaf) }, expecting(demanded)), 'fido-u2f trusted')
    assert.equal(await outcome({ ...bare, statement: u2f(leaf) }, expecting(listed)), 'no')
    assert.equal(await outcome({ ...bare, statement: u2f(leaf) }, expecting(demanded, { roots: [] })), 'no')

    const passkey = new SoftwareAuthenticator()
    const apple = async (roots: readonly string[], spoils = false) => {
      let nonce = Buffer.alloc(0)
      let keys: Signed['keys'] | undefined
      passkey.attest({
        ...honest,
        counter: 0,
        statement: (signed) => {
          const over = Buffer.concat([signed.authData, signed.clientDataHash])
          nonce = hash('sha256', over, 'buffer')
          keys = signed.keys
          return { fmt: 'none', attStmt: new Map() }
        },
      })
      if (spoils) nonce.fill(0)
      const extension = Buffer.concat([Buffer.from('3024a1220420', 'hex'), nonce])
      const held = await attestationCertificate({
        ...(keys ? { keys } : {}),
        extensions: [new Extension('1.2.840.113635.100.8.2', false, extension)],
      })
      const x5c = [held.certificate.raw, maker.certificate.raw]
      const said = { ...honest, counter: 0, statement: () => ({ fmt: 'apple', attStmt: new Map([['x5c', x5c]]) }) }
      const credential = await verifyAttestation(passkey.attest(said), expecting(demanded, { roots }))
      return credential?.attestation?.format
    }
    assert.equal(await apple([root.cert]), 'apple')
    assert.equal(await apple([]), undefined, 'it is not from Apple')
    assert.equal(await apple([root.cert], true), undefined)
  })

  test('tpm: the key that the TPM certifies is that of the credential, and the certificate is trusted', async () => {
    const tpmOf = (manufacturer: string) => `2.23.133.2.1=${manufacturer}, 2.23.133.2.2=Model, 2.23.133.2.3=id:13`
    const attestationKey = (more: Content = {}) =>
      certificate({
        subject: [],
        issuer: maker,
        purposes: ['2.23.133.8.3'],
        names: [{ type: 'dn', value: tpmOf('id:FFFFF1D0') }],
        extensions: [ofModel(model)],
        ...more,
      })
    const sized = (bytes: Buffer) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
    const tpm =
      (held: Held, otherKey = false) =>
      ({ authData, clientDataHash, keys }: Signed): Statement => {
        const { x = '', y = '' } = (otherKey ? held.publicKey : keys.publicKey).export({ format: 'jwk' })
        const point = [sized(Buffer.from(x, 'base64url')), sized(Buffer.from(y, 'base64url'))]
        // TPMT_PUBLIC: ECC, named by SHA-256, no policy; no scheme, P-256, no KDF.
        const pubArea = Buffer.concat([
          Buffer.from('0023000b000604720000', 'hex'),
          Buffer.from('0010001000030010', 'hex'),
          ...point,
        ])
        const name = Buffer.concat([Buffer.from('000b', 'hex'), hash('sha256', pubArea, 'buffer')])
        const signed = hash('sha256', Buffer.concat([authData, clientDataHash]), 'buffer')
        // TPMS_ATTEST: magic and TPM_ST_ATTEST_CERTIFY, then signer, extra data, clock and firmware, and what is certified.
        const certInfo = Buffer.concat([
          Buffer.from('ff5443478017', 'hex'),
          sized(Buffer.alloc(0)),
          sized(signed),
          Buffer.alloc(25),
          sized(name),
          sized(Buffer.alloc(0)),
        ])
        return {
          fmt: 'tpm',
          attStmt: new Map<string, unknown>([
            ['ver', '2.0'],
            ['alg', -7],
            ['x5c', [held.certificate.raw, maker.certificate.raw]],
            ['sig', sign('sha256', certInfo, held.privateKey)],
            ['certInfo', certInfo],
            ['pubArea', pubArea],
          ]),
        }
      }
    const held = await attestationKey()
    assert.equal(await outcome({ ...honest, statement: tpm(held) }, expecting(demanded)), 'tpm trusted')
    assert.equal(await outcome({ ...honest, statement: tpm(held) }, expecting(listed)), 'tpm trusted')
    assert.equal(await outcome({ ...honest, statement: tpm(held) }, expecting(demanded, { roots: [] })), 'no')
    assert.equal(await outcome({ ...honest, statement: tpm(held, true) }, expecting(unasked)), 'no', 'another key')
    const unknownMaker = await attestationKey({ names: [{ type: 'dn', value: tpmOf('id:00000000') }] })
    assert.equal(await outcome({ ...honest, statement: tpm(unknownMaker) }, expecting(unasked)), 'no', 'another maker')
  })

  /** An android-key statement whose certificate is for the credential's own key. */
  async function android(more: {
    readonly hardware?: readonly Buffer[]
    readonly software?: readonly Buffer[]
    readonly challengeHash?: Buffer
    readonly extensions?: readonly Extension[]
    readonly chain?: readonly Held[]
    readonly alg?: number
    readonly otherKey?: true
  }): Promise<(by: Fido2Policy) => Promise<string>> {
    const passkey = new SoftwareAuthenticator()
    let signed: Signed | undefined
    const said = { ...honest, counter: 0 }
    passkey.attest({
      ...said,
      statement: (all) => {
        signed = all
        return { fmt: 'none', attStmt: new Map() }
      },
    })
    assert.ok(signed)
    const { keys, authData, clientDataHash } = signed
    const description = keyDescription(
      more.challengeHash ?? clientDataHash,
      more.hardware ?? madeInHardware,
      more.software,
    )
    const [issuer = maker] = more.chain ?? []
    const held = await certificate({
      subject: [{ CN: ['Android Keystore Key'] }],
      purposes: 'any',
      issuer,
      ...(more.otherKey ? {} : { keys }),
      extensions: [new Extension('1.3.6.1.4.1.11129.2.1.17', false, description), ...(more.extensions ?? [])],
    })
    const attStmt = new Map<string, unknown>([
      ['alg', more.alg ?? -7],
      ['sig', sign('sha256', Buffer.concat([authData, clientDataHash]), keys.privateKey)],
      ['x5c', [held, ...(more.chain ?? [maker])].map((each) => each.certificate.raw)],
    ])
    return async (by) => {
      const answer = passkey.attest({ ...said, statement: () => ({ fmt: 'android-key', attStmt }) })
      const credential = await verifyAttestation(answer, expecting(by))
      return credential ? `${credential.attestation?.format} ${credential.attestation?.isTrusted}` : 'no'
    }
  }

  test('android-key: made in hardware, for signing, for this answer, and for no other app', async () => {
    assert.equal(await (await android({}))(demanded), 'android-key true')
    const lies = {
      'for another answer': { challengeHash: Buffer.alloc(32) },
      'for any app': { hardware: [...madeInHardware, der(allApplicationsTag, der(0x05))] },
      'for any app, as software says': { software: [der(allApplicationsTag, der(0x05))] },
      'for more than signing': {
        hardware: [der(purposeTag, der(0x31, integer(2), integer(3))), der(originTag, integer(0))],
      },
      'for deciphering': { hardware: [der(purposeTag, der(0x31, integer(1))), der(originTag, integer(0))] },
      imported: { hardware: [der(purposeTag, der(0x31, integer(2))), der(originTag, integer(2))] },
      'made in software': { hardware: [], software: madeInHardware },
      'another algorithm': { alg: -257 },
      'another key': { otherKey: true },
    } as const
    for (const [name, lie] of Object.entries(lies)) {
      const attested = await android(lie)
      assert.deepEqual([await attested(demanded), await attested(unasked)], ['no', 'no'], name)
    }
  })

  test('G01: no address that a certificate names is asked for anything', async () => {
    const own = await authority('Mallory')
    const uri = Buffer.from(endpoint.url)
    const points = der(0x30, der(0x30, der(0xa0, der(0xa0, der(0x86, uri)))))
    const extensions = [new Extension('2.5.29.31', false, points)]
    const attested = await android({ chain: [own], extensions })
    assert.deepEqual([await attested(unasked), await attested(demanded)], ['android-key false', 'no'])
    const held = await attestationCertificate({ issuer: maker, extensions: [ofModel(model), ...extensions] })
    const full = { ...honest, statement: packed(held) }
    assert.equal(await outcome(full, expecting(demanded)), 'packed trusted')
    assert.deepEqual(endpoint.asked, [])
  })

  test('formats that nobody can judge are refused, whatever is asked', async () => {
    for (const fmt of ['android-safetynet', 'compound', 'none ', '']) {
      const said = { ...honest, statement: () => ({ fmt, attStmt: new Map() }) }
      assert.equal(await outcome(said, expecting(unasked)), 'no', fmt)
    }
    const tpm = { ...honest, statement: () => ({ fmt: 'tpm', attStmt: new Map([['ver', '2.0']]) }) }
    assert.equal(await outcome(tpm, expecting(unasked)), 'no')
  })

  test('a policy may ask for the authenticator again whenever it signs', async () => {
    const authenticator = new SoftwareAuthenticator()
    const credential = await verifyAttestation(
      authenticator.attest({ ...honest, statement: packed(leaf) }),
      expecting(demanded),
    )
    assert.ok(credential)
    const signs = async (by: Fido2Policy, known = credential) =>
      (await verifyAssertion(authenticator.assert({ ...honest, counter: 9 }), known, {
        ...expecting(by),
        userId: 'u',
      })) !== undefined
    const strict = (each: Fido2Policy): Fido2Policy => ({
      ...each,
      mdsAuthenticatorsRequirements: { ...each.mdsAuthenticatorsRequirements, enforceDuringAuthentication: true },
    })
    assert.deepEqual(
      [await signs(strict(listed)), await signs(otherListed), await signs(strict(otherListed))],
      [true, true, false],
    )
    const older = { ...credential, attestation: undefined }
    assert.deepEqual([await signs(demanded, older), await signs(strict(demanded), older)], [true, false])
  })

  test('policies that could not be kept are refused', () => {
    const problems = (each: Fido2Policy) =>
      fido2PolicyProblems({ ...each, relyingPartyId: party.id }, party.id).map(({ target }) => target)
    const option = 'mdsAuthenticatorsRequirements.option'
    assert.deepEqual(problems({ ...demanded, attestationRoots: root.cert }), [])
    assert.deepEqual(problems(listed), [])
    assert.deepEqual(problems(policy('DIRECT', 'GLOBAL')), [option])
    assert.deepEqual(problems(policy('DIRECT', 'CERTIFIED')), [option])
    assert.deepEqual(problems(policy('NONE', 'AUDIT_ONLY')), [option])
    assert.deepEqual(problems(policy('DIRECT', 'SPECIFIC')), ['mdsAuthenticatorsRequirements.allowedAuthenticators'])
    for (const attestationRoots of ['', 'no PEM', leaf.cert]) {
      assert.deepEqual(problems({ ...demanded, attestationRoots }), ['attestationRoots'])
    }
  })
})
