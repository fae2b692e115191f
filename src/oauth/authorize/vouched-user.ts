/**
 * The `login_hint_token` of an authorization request: whom the client means, by its signature (authentication-api 2.14). The
 * flow begins with that user, and nobody else may be signed on; row L41.
 *
 * Never: a token that counts twice, whether or not it has a `jti`.
 */
import { hash } from 'node:crypto'
import type { OneTimeJwt } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import { userWithPasswordByUsername } from '../../directory/users.ts'
import type { Application } from '../../environment/application.ts'
import { problem } from '../../errors/problem.ts'
import { longestLife, readLoginHintToken } from '../login-hint-token.ts'
import type { RequestParameters } from '../parameters.ts'

/** A request whose token was read, with what that uses up. */
export interface VouchedRequest {
  readonly parameters: RequestParameters
  readonly proofs: readonly OneTimeJwt[]
}

/**
 * Reads the token of a request, where it has one.
 * @throws Problem invalid_request
 */
export async function readVouchedUser(
  context: Context,
  client: Application,
  parameters: RequestParameters,
): Promise<VouchedRequest> {
  if (parameters.values['login_hint_token'] === undefined) return { parameters, proofs: [] }
  const { login_hint_token: token, ...values } = parameters.values
  const hint = await readLoginHintToken(context, client, token)
  if ('refused' in hint) throw problem('invalid_request', { description: `login_hint_token is ${hint.refused}` })
  const vouchedUserId = hint.by === 'id' ? hint.value : await idOf(context, hint.value)
  if (vouchedUserId === undefined) {
    throw problem('invalid_request', { description: 'login_hint_token names nobody' })
  }
  const usableUntil = context.now + 2 * longestLife * 1000
  const jti = hash('sha256', token, 'base64url')
  const once = hint.once ?? { kind: 'login-hint-token', issuer: client.id, jti, usableUntil }
  return { parameters: { ...parameters, values, vouchedUserId }, proofs: [once] }
}

async function idOf({ kernel, environment }: Context, username: string): Promise<string | undefined> {
  const found = await userWithPasswordByUsername(kernel, environment.id, username.slice(0, 256))
  return found?.user.id
}
