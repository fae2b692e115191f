/** Modules of the FAPI 2.0 plans about DPoP: RFC 9449, FAPI 2.0 Security Profile 5.3.2.1, 13. */
import assert from 'node:assert/strict'
import { clientKey } from '../oauth/assertions.ts'
import { thumbprintOf } from '../oauth/proofs.ts'
import type { Declare } from './fapi2-bench.ts'
import { expectError, type Variant } from './fapi-client.ts'

const prefix = 'fapi2-security-profile-final-'

export function dpopModules(declare: Declare, { constraint }: Variant): void {
  if (constraint !== 'dpop') return

  /** Proofs whose claims differ, at every endpoint that takes one. */
  const times: readonly (readonly [string, (now: number) => Readonly<Record<string, unknown>>])[] = [
    ['check-dpop-proof-nbf-exp', (now) => ({ nbf: now, exp: now + 300 })],
    ['ensure-dpopproof-with-iat-10seconds-before-succeeds', (now) => ({ iat: now - 10 })],
    ['ensure-dpopproof-with-iat-10seconds-after-succeeds', (now) => ({ iat: now + 8 })],
  ]
  for (const [name, claims] of times) {
    declare(`${prefix}${name}`, async ({ browser, client }) => {
      const proof = { claims: claims(client.seconds()) }
      const { access_token } = await client.tokens(browser, {}, { proof })
      await client.expectResource(access_token, { proof })
    })
  }

  /** A proof at the PAR endpoint, where it is optional. */
  const atPar = { proof: { method: 'POST' } }

  declare(`${prefix}ensure-dpopproof-at-par-endpoint-binding-success`, async ({ browser, client }) => {
    const form = await client.redeemable(browser, {}, atPar)
    client.expectTokens(await client.send('token', form))
  })

  declare(`${prefix}ensure-dpop-auth-code-binding-success`, async ({ browser, client }) => {
    const form = await client.redeemable(browser, { dpop_jkt: await thumbprintOf(client.dpopKey) })
    client.expectTokens(await client.send('token', form))
  })

  declare(`${prefix}ensure-mismatched-dpop-jkt-fails`, async ({ client }) => {
    const { request } = client.parameters({ dpop_jkt: await thumbprintOf(clientKey('ES256')) })
    expectError(await client.push(request, atPar), 'invalid_request', 'invalid_dpop_proof')
  })

  const atToken = ['invalid_request', 'invalid_grant', 'invalid_dpop_proof']

  declare(`${prefix}ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt`, async ({ browser, client }) => {
    const form = await client.redeemable(browser, {}, atPar)
    expectError(await client.send('token', form, { dpopKey: clientKey('ES256') }), ...atToken)
  })

  declare(`${prefix}ensure-token-endpoint-fails-with-mismatched-dpop-jkt`, async ({ browser, client }) => {
    const form = await client.redeemable(browser, { dpop_jkt: await thumbprintOf(clientKey('ES256')) })
    expectError(await client.send('token', form), ...atToken)
  })

  declare(`${prefix}dpop-negative-tests`, async ({ browser, client }) => {
    const { access_token } = await client.tokens(browser)
    const refused = async (why: string, otherwise: Parameters<typeof client.resource>[1]) => {
      const { status, headers } = await client.resource(access_token, otherwise)
      assert.ok(status === 400 || status === 401, `${why}: ${status}`)
      assert.match(headers.get('www-authenticate') ?? '', /DPoP|Bearer/, why)
    }
    const now = client.seconds()
    const privateJwk = client.dpopKey.privateKey.export({ format: 'jwk' })
    await refused('as a bearer token', { scheme: 'Bearer', proof: null })
    await refused('as a bearer token, with a proof', { scheme: 'Bearer' })
    await refused('without a proof', { proof: null })
    await refused('by another key', { dpopKey: clientKey('ES256') })
    await refused('with the private key in it', { proof: { header: { jwk: privateJwk } } })
    await refused('an hour from now', { proof: { claims: { iat: now + 3600 } } })
    await refused('an hour ago', { proof: { claims: { iat: now - 3600 } } })
    await refused('of another token', { proof: { claims: { ath: Buffer.alloc(32).toString('base64url') } } })
    await refused('of no token', { proof: { claims: { ath: undefined } } })
    await refused('of another method', { proof: { claims: { htm: 'POST' } } })
    await refused('of another address', { proof: { claims: { htu: 'https://other.test/' } } })
    await refused('of another type', { proof: { header: { typ: 'JWT' } } })
    await refused('without a jti', { proof: { claims: { jti: undefined } } })
    const proof = { claims: { jti: 'once' } }
    await client.expectResource(access_token, { proof })
    await refused('used before', { proof })
  })
}
