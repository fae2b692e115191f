/** FIDO2 devices under a policy that demands attestation, over HTTP: platform-api 3.14.4, 3.14.5; rows L30, N31. */
import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { activate, enableMfa, newDevicePolicy, newPerson, rows, saidTo, signature } from '../flow-runtime/arrange.ts'
import { authority, certificate, type Held } from '../harness/client-certificates.ts'
import { type Said, type Signed, SoftwareAuthenticator } from '../harness/software-authenticator.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { authenticationClient } from './device-authentication-client.ts'

const aaguid = '00112233-4455-6677-8899-aabbccddeeff'
const model = Buffer.from(aaguid.replaceAll('-', ''), 'hex')

suite('FIDO2 devices under a policy that demands attestation', () => {
  let stile: Stile
  let root: Held
  let leaf: Held
  before(async () => {
    root = await authority('Maker')
    const subject = [{ C: ['DE'] }, { O: ['Example'] }, { OU: ['Authenticator Attestation'] }, { CN: ['Model'] }]
    leaf = await certificate({ subject, issuer: root, purposes: 'any' })
    stile = await startStile({ environment: { STILE_FIDO2_ATTESTATION_ROOTS: root.cert } })
    await demand('DIRECT', { option: 'SPECIFIC', allowedAuthenticators: [{ id: aaguid }] })
  })
  after(() => stile.close())

  async function demand(attestationRequirements: string, requirements: object): Promise<void> {
    const { json } = await stile.api('GET', '/fido2Policies')
    const present = json._embedded.fido2Policies.find((each: { readonly default: boolean }) => each.default)
    const mdsAuthenticatorsRequirements = { enforceDuringAuthentication: false, ...requirements }
    const body = { ...present, attestationRequirements, mdsAuthenticatorsRequirements }
    const answer = await stile.api('PUT', `/fido2Policies/${present.id}`, body)
    assert.equal(answer.status, 200, answer.text)
    await stile.node.kernel.environments.poll()
  }

  const byMaker = ({ authData, clientDataHash }: Signed) => ({
    fmt: 'packed',
    attStmt: new Map<string, unknown>([
      ['alg', -7],
      ['sig', sign('sha256', Buffer.concat([authData, clientDataHash]), leaf.privateKey)],
      ['x5c', [leaf.certificate.raw]],
    ]),
  })

  async function enrol(more: Partial<Said>, policyId?: string) {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    const rp = { id: 'localhost', name: 'Example' }
    const body = { type: 'FIDO2', rp, ...(policyId === undefined ? {} : { policy: { id: policyId } }) }
    const created = await stile.api('POST', `/users/${person.id}/devices`, body)
    assert.equal(created.status, 201, created.text)
    const { id: deviceId, publicKeyCredentialCreationOptions: options } = created.json
    const passkey = new SoftwareAuthenticator()
    const answer = await activate(
      stile,
      { id: person.id, deviceId },
      passkey.attest({ ...saidTo(stile, options), ...more }),
    )
    return { person, deviceId, passkey, answer, asked: JSON.parse(options).attestation as string }
  }

  test('L30: the browser is asked for one; without it, or by another model, no device is activated', async () => {
    const { answer, asked, deviceId } = await enrol({ aaguid: model, statement: byMaker })
    assert.deepEqual([answer.status, asked], [200, 'direct'], answer.text)
    const [event] = await rows<{ document: string }>(
      stile,
      'events',
      "action = 'DEVICE.ACTIVATED' AND subject_id = $2",
      deviceId,
    )
    const { attestation } = JSON.parse(event?.document ?? '{}')
    assert.deepEqual(attestation, { format: 'packed', aaguid, isTrusted: true })
    for (const lie of [{ aaguid: model }, { aaguid: Buffer.alloc(16, 1), statement: byMaker }]) {
      const refused = await enrol(lie)
      assert.deepEqual([refused.answer.status, refused.answer.json.details?.[0].target], [400, 'attestation'])
      const [device] = await rows<{ status: string }>(stile, 'devices', 'id = $2', refused.deviceId)
      assert.equal(device?.status, 'ACTIVATION_REQUIRED')
    }
  })

  test('L30: a model that is taken off the list signs no more, where the policy says so; what is gone leaves nothing', async () => {
    const mfa = authenticationClient(stile)
    const { person, deviceId, passkey } = await enrol({ aaguid: model, statement: byMaker })
    const sign = async () => {
      const { json } = await mfa.start(person)
      const assertion = signature(stile, passkey, json.publicKeyCredentialRequestOptions)
      const body = { origin: stile.authUrl, assertion, compatibility: 'FULL' }
      return (await mfa.act(json.id, 'assertion.check', body)).json.status as string | undefined
    }
    assert.equal(await sign(), 'COMPLETED')
    const others = [{ id: aaguid.replace('0', '1') }]
    await demand('DIRECT', { option: 'SPECIFIC', allowedAuthenticators: others })
    assert.equal(await sign(), 'COMPLETED')
    await demand('DIRECT', { option: 'SPECIFIC', allowedAuthenticators: others, enforceDuringAuthentication: true })
    assert.equal(await sign(), undefined)
    assert.equal((await stile.api('DELETE', `/users/${person.id}/devices/${deviceId}`)).status, 204)
    assert.deepEqual(await rows(stile, 'fido2_attestations', 'device_id = $2', deviceId), [])
    await demand('NONE', { option: 'NONE' })
    const other = await enrol({})
    assert.deepEqual([other.answer.status, other.asked], [200, 'none'])
    assert.equal((await stile.api('DELETE', `/users/${other.person.id}`)).status, 204)
    assert.deepEqual(await rows(stile, 'fido2_attestations', 'user_id = $2', other.person.id), [])
  })

  test('L30: a device is judged by the policy that it was made under, whatever the default one demands', async () => {
    const { json } = await stile.api('GET', '/fido2Policies')
    const present = json._embedded.fido2Policies.find((each: { readonly default: boolean }) => each.default)
    const strict = {
      attestationRequirements: 'DIRECT',
      mdsAuthenticatorsRequirements: {
        enforceDuringAuthentication: false,
        option: 'SPECIFIC',
        allowedAuthenticators: [{ id: aaguid }],
      },
    }
    const body = { ...present, name: 'Of one maker', default: false, ...strict }
    const made = await stile.api('POST', '/fido2Policies', body)
    assert.equal(made.status, 201, made.text)
    await demand('NONE', { option: 'NONE' })
    const policyId = await newDevicePolicy(stile, { fido2: { enabled: true, fido2PolicyId: made.json.id } })
    const refused = await enrol({}, policyId)
    assert.deepEqual(
      [refused.asked, refused.answer.status, refused.answer.json.details?.[0].target],
      ['direct', 400, 'attestation'],
    )
    assert.equal((await enrol({ aaguid: model, statement: byMaker }, policyId)).answer.status, 200)
    assert.equal((await enrol({})).answer.status, 200)
  })

  test('what cannot be kept is refused', async () => {
    const { json } = await stile.api('GET', '/fido2Policies')
    const [present] = json._embedded.fido2Policies
    const mdsAuthenticatorsRequirements = { enforceDuringAuthentication: false, option: 'CERTIFIED' }
    const body = { ...present, attestationRequirements: 'DIRECT', mdsAuthenticatorsRequirements }
    const answer = await stile.api('PUT', `/fido2Policies/${present.id}`, body)
    assert.deepEqual([answer.status, answer.json.details[0].target], [400, 'mdsAuthenticatorsRequirements.option'])
    await assert.rejects(startStile({ environment: { STILE_FIDO2_ATTESTATION_ROOTS: leaf.cert } }), /ATTESTATION_ROOTS/)
  })
})
