/** Modules of the FAPI 2.0 plans about the token endpoint: who may redeem what, and how often. */
import assert from 'node:assert/strict'
import type { Declare } from './fapi2-bench.ts'
import { expectError, type Variant } from './fapi-client.ts'

const prefix = 'fapi2-security-profile-final-'

/** FAPI 2.0 Security Profile 5.3.2.1 and 5.3.2.2. */
export function tokenModules(declare: Declare, { constraint }: Variant): void {
  declare(`${prefix}ensure-client-id-in-token-endpoint`, async ({ browser, client, other }) => {
    const form = await client.redeemable(browser)
    const clientId = other.app.clientId
    const errors = ['invalid_client', 'invalid_grant']
    expectError(await client.send('token', form, { clientId }), ...errors)
    const assertion = { iss: clientId, sub: clientId }
    expectError(await client.send('token', form, { clientId, assertion }), ...errors)
    client.expectTokens(await client.send('token', form))
  })

  declare(`${prefix}ensure-holder-of-key-required`, async ({ browser, client }) => {
    const form = await client.redeemable(browser)
    const nothing = constraint === 'dpop' ? { proof: null } : { certificate: null }
    const errors = ['invalid_request', 'invalid_grant', constraint === 'dpop' ? 'invalid_dpop_proof' : 'invalid_client']
    expectError(await client.send('token', form, nothing), ...errors)
    client.expectTokens(await client.send('token', form))
  })

  declare(`${prefix}ensure-authorization-code-is-bound-to-client`, async ({ browser, client, other }) => {
    const form = await client.redeemable(browser)
    expectError(await other.send('token', form), 'invalid_grant')
    client.expectTokens(await client.send('token', form))
  })

  declare(`${prefix}attempt-reuse-authorization-code-after-one-second`, async ({ browser, client, world }) => {
    const form = await client.redeemable(browser)
    const { access_token } = client.expectTokens(await client.send('token', form))
    await client.expectResource(access_token)
    world.advance(1000)
    await client.stile.node.kernel.environments.poll()
    expectError(await client.send('token', form), 'invalid_grant')
    assert.equal((await client.resource(access_token)).status, 401, 'what was issued from it is worth nothing')
  })

  declare(`${prefix}ensure-token-endpoint-fails-with-expired-auth-code`, async ({ browser, client, world }) => {
    const form = await client.redeemable(browser)
    world.advance(62_000)
    await client.stile.node.kernel.environments.poll()
    expectError(await client.send('token', form), 'invalid_grant')
  })

  declare(`${prefix}ensure-pkce-code-verifier-required`, async ({ browser, client }) => {
    const form = await client.redeemable(browser)
    expectError(await client.send('token', { ...form, code_verifier: undefined }), 'invalid_grant')
  })

  declare(`${prefix}incorrect-pkce-code-verifier-rejected`, async ({ browser, client }) => {
    const form = await client.redeemable(browser)
    const { verifier } = client.parameters()
    expectError(await client.send('token', { ...form, code_verifier: verifier }), 'invalid_grant')
    client.expectTokens(await client.send('token', form))
  })

  declare(`${prefix}refresh-token`, async ({ browser, client, other, world }) => {
    const first = await client.tokens(browser)
    const form = { grant_type: 'refresh_token', refresh_token: first.refresh_token, scope: 'openid profile email' }
    assert.match(first.refresh_token ?? '', /^[\x20-\x7e]{22,}$/)
    const before = await client.verified(first.id_token ?? '')
    for (let use = 0; use < 2; use++) {
      world.advance(1000)
      await client.stile.node.kernel.environments.poll()
      const again = client.expectTokens(await client.send('token', form))
      assert.notEqual(again.access_token, first.access_token)
      await client.expectResource(again.access_token)
      // Section 5.3.2.1, 9: it is not replaced.
      assert.equal(again.refresh_token, first.refresh_token)
      const now = await client.verified(again.id_token ?? '')
      for (const claim of ['iss', 'sub', 'aud', 'auth_time']) assert.deepEqual(now[claim], before[claim], claim)
    }
    expectError(await other.send('token', form), 'invalid_grant', 'invalid_client', 'invalid_request')
    const nothing = constraint === 'dpop' ? { proof: null } : { certificate: null }
    const errors = ['invalid_request', 'invalid_grant', constraint === 'dpop' ? 'invalid_dpop_proof' : 'invalid_client']
    expectError(await client.send('token', form, nothing), ...errors)
  })
}

/** How a client proves who it is: FAPI 2.0 Security Profile 5.3.2.1, 6 and 8. */
export function assertionModules(declare: Declare, { auth }: Variant): void {
  if (auth !== 'private_key_jwt') return

  declare(`${prefix}ensure-signed-client-assertion-with-RS256-fails`, async ({ browser, another }) => {
    const client = await another({}, 'PS256')
    const form = await client.redeemable(browser)
    const assertionKey = { ...client.key, algorithm: 'RS256' }
    expectError(await client.send('token', form, { assertionKey }), 'invalid_client')
    client.expectTokens(await client.send('token', form))
  })

  declare(`${prefix}ensure-client-assertion-in-token-endpoint`, async ({ browser, client }) => {
    const form = await client.redeemable(browser)
    expectError(await client.send('token', form, { assertion: null }), 'invalid_client', 'invalid_request')
  })

  const refused: readonly (readonly [string, (now: number) => Readonly<Record<string, unknown>>])[] = [
    ['with-exp-is-5-minutes-in-past', (now) => ({ exp: now - 300 })],
    ['with-wrong-aud', () => ({ aud: 'https://other.test' })],
    ['with-no-sub', () => ({ sub: undefined })],
  ]
  for (const [name, claims] of refused) {
    declare(`${prefix}ensure-client-assertion-${name}-fails`, async ({ browser, client }) => {
      const form = await client.redeemable(browser)
      const reply = await client.send('token', form, { assertion: claims(client.seconds()) })
      expectError(reply, 'invalid_client', 'invalid_request')
    })
  }
}
