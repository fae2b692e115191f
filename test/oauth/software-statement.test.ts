/** Software statements: RFC 7591 section 2.3; rows F01, H05. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SignJWT, UnsecuredJWT } from 'jose'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { codeRequest, told } from './journeys.ts'
import { expectMetadataError, policy, registered, registering, webClient } from './registering.ts'
import { expectStatus } from './registrations.ts'

const issuer = 'https://directory.test'

suite('software statements', () => {
  let stile: Stile
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  before(async () => {
    stile = await startStile()
    await trusting()
  })
  after(() => stile.close())

  const jwks = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] })
  const trusting = (required = false, trustedIssuers: readonly object[] = [{ issuer, jwks }]) =>
    policy(stile, {
      mode: 'OPEN',
      perNetworkAddress: { count: 100_000, seconds: 60 },
      softwareStatements: { required, trustedIssuers },
    })
  const statement = (claims: object = {}, key: KeyObject = privateKey, typ?: string) =>
    new SignJWT({ iss: issuer, software_id: 'reader', client_name: 'Verified Reader', ...claims })
      .setProtectedHeader({ alg: 'ES256', ...(typ ? { typ } : {}) })
      .sign(key)
  const withStatement = (software_statement: unknown, more: object = {}) => ({
    ...webClient,
    ...more,
    software_statement,
  })

  test('what it says goes before what the client says, and it comes back as it was sent', async () => {
    const text = await statement({ redirect_uris: ['https://verified.test/cb'] })
    const client = await registered(stile, withStatement(text, { software_id: 'mine' }))
    assert.deepEqual(
      [client.client_name, client.software_id, client.redirect_uris, client.software_statement],
      ['Verified Reader', 'reader', ['https://verified.test/cb'], text],
    )
    const read = expectStatus(await stile.api('GET', `/applications/${client.client_id}`), 200)
    assert.equal(read.registration.softwareStatementIssuer, issuer)
  })

  test('one that nobody trusted has signed, or that is over, is refused', async () => {
    const good = await statement()
    const [header, payload] = good.split('.')
    const seconds = Math.floor(Date.now() / 1000)
    const refused: readonly (readonly [unknown, string])[] = [
      [await statement({}, other.privateKey), 'invalid_software_statement'],
      [await statement({ exp: seconds - 120 }), 'invalid_software_statement'],
      [await statement({ exp: 'never' }), 'invalid_software_statement'],
      [await statement({ nbf: seconds + 120 }), 'invalid_software_statement'],
      [await statement({}, privateKey, 'at+jwt'), 'invalid_software_statement'],
      [`${header}.${payload}.`, 'invalid_software_statement'],
      [new UnsecuredJWT({ iss: issuer }).encode(), 'invalid_software_statement'],
      [await statement({ iss: 'https://else.test' }), 'unapproved_software_statement'],
      [await statement({ iss: undefined }), 'unapproved_software_statement'],
      ['x', 'unapproved_software_statement'],
      ['x'.repeat(20_000), 'invalid_client_metadata'],
      [7, 'invalid_client_metadata'],
    ]
    for (const [text, error] of refused) expectMetadataError(await registering(stile, withStatement(text)), error)
  })

  test('it cannot say more than the policy allows', async () => {
    const text = await statement({ grant_types: ['client_credentials'] })
    expectMetadataError(await registering(stile, withStatement(text)), 'invalid_client_metadata', 'grant_types')
  })

  test('where one is required none can do without, and a change cannot do away with it', async () => {
    await trusting(true)
    expectMetadataError(await registering(stile, webClient), 'unapproved_software_statement')
    const client = await registered(stile, withStatement(await statement()))
    const path = new URL(client.registration_client_uri).pathname
    const { client_id, registration_access_token: token } = client
    const put = (body: object, by: string): Promise<Answer> =>
      stile.send(path, { method: 'PUT', token: by, body: { ...webClient, client_id, ...body } })
    const changed = expectStatus(await put({ client_name: 'Mine' }, token), 200)
    assert.deepEqual([changed.client_name, changed.software_statement], ['Verified Reader', client.software_statement])
    await trusting(true, [{ issuer: 'https://else.test', jwks }])
    expectMetadataError(await put({}, changed.registration_access_token), 'unapproved_software_statement')
    await trusting()
  })

  test('A22: a client that somebody trusted vouches for gets its OpenID Connect answers', async () => {
    const { client_id: clientId, redirect_uris } = await registered(stile, withStatement(await statement()))
    const request = codeRequest({ clientId, clientSecret: '', redirectUri: redirect_uris[0] }, { prompt: 'none' })
    assert.equal(told(await new Browser(stile).authorize(request)).get('error'), 'login_required')
  })

  test('the policy takes issuers with usable keys alone', async () => {
    const bad: readonly (readonly [object, string])[] = [
      [{ required: true }, 'softwareStatements.trustedIssuers'],
      [{ trustedIssuers: [{ issuer }] }, 'softwareStatements.trustedIssuers.0'],
      [
        { trustedIssuers: [{ issuer, jwks, jwksUrl: 'https://directory.test/jwks' }] },
        'softwareStatements.trustedIssuers.0',
      ],
      [{ trustedIssuers: [{ issuer, jwks: '{"keys":[]}' }] }, 'softwareStatements.trustedIssuers.0.jwks'],
      [
        { trustedIssuers: [{ issuer, jwksUrl: 'http://directory.test/jwks#f' }] },
        'softwareStatements.trustedIssuers.0.jwksUrl',
      ],
    ]
    for (const [softwareStatements, target] of bad) {
      const refused = expectStatus(await stile.api('PUT', '/clientRegistrationPolicy', { softwareStatements }), 400)
      assert.equal(refused.details[0].target, target)
    }
  })
})
