/** `form_post.jwt`: the signed response in a form that posts it to the redirect URI. JARM section 2.3.3. */
import type { Reply } from '../../contract/operation.ts'
import { formPost } from './form-post.ts'

/** Answers with a packed response. */
export function formPostJwt(redirectUri: string, response: { readonly response: string }): Reply {
  return formPost(redirectUri, response)
}
