/**
 * Whom a backchannel authentication request means. OpenID CIBA Core section 7.1; docs/decisions/2026-11-26-ciba.md.
 *
 * Never: a difference between a name that somebody has and one that nobody has, in the answer or in what is done for it.
 */
import type { Context } from '../../contract/operation.ts'
import { userWithPasswordByUsername } from '../../directory/users.ts'
import type { Application } from '../../environment/application.ts'
import { problem } from '../../errors/problem.ts'
import { readIdTokenHint } from '../id-token-hint.ts'
import { readLoginHintToken } from '../login-hint-token.ts'
import { hintNames, readHint } from '../rules/backchannel-request.ts'
import type { OneTimeJwt } from '../../access/used-jwt.ts'

/** Whom a request means. */
export interface HintedUser {
  /** Null: nobody has the name. Whether the user may sign on is looked at when they are reached. */
  readonly userId: string | null
  /** A hint that may be used once: for the unit that stores what it asks for. */
  readonly once: OneTimeJwt | undefined
}

const longestName = 256

/**
 * Finds out whom a request means.
 * @throws Problem invalid_request, expired_login_hint_token for a hint that is none
 */
export async function hintedUser(
  context: Context,
  client: Application,
  values: Readonly<Record<string, string>>,
): Promise<HintedUser> {
  const hint = readHint(values)
  if (!hint) throw problem('invalid_request', { description: `exactly one of ${hintNames.join(', ')} is needed` })
  const { name, value } = hint
  switch (name) {
    case 'login_hint':
      return { userId: await idOf(context, value), once: undefined }
    case 'id_token_hint': {
      const userId = readIdTokenHint(context, client, value)
      if (userId === undefined) throw malformed(name)
      return { userId, once: undefined }
    }
    case 'login_hint_token': {
      const read = await readLoginHintToken(context, client, value)
      if ('refused' in read) throw read.refused === 'expired' ? problem('expired_login_hint_token') : malformed(name)
      return { userId: read.by === 'id' ? read.value : await idOf(context, read.value), once: read.once }
    }
  }
}

async function idOf({ kernel, environment }: Context, username: string): Promise<string | null> {
  const found = await userWithPasswordByUsername(kernel, environment.id, username.slice(0, longestName))
  return found?.user.id ?? null
}

function malformed(name: string): Error {
  return problem('invalid_request', { description: `${name} is not valid` })
}
