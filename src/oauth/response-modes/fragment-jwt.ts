/** `fragment.jwt`: the signed response in the fragment of the redirect URI. JARM section 2.3.2. */
import type { Reply } from '../../contract/operation.ts'
import { fragment } from './fragment.ts'

/** Answers with a packed response. */
export function fragmentJwt(redirectUri: string, response: { readonly response: string }): Reply {
  return fragment(redirectUri, response)
}
