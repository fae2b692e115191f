/** `query.jwt`: the signed response in the query of the redirect URI. JARM section 2.3.1. Never with tokens, which a query would show to everybody on the way. */
import type { Reply } from '../../contract/operation.ts'
import { query } from './query.ts'

/** Answers with a packed response. */
export function queryJwt(redirectUri: string, response: { readonly response: string }): Reply {
  return query(redirectUri, response)
}
