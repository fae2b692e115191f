/** `form_post`: a page that posts the parameters to the redirect URI. OAuth 2.0 Form Post Response Mode section 2. */
import type { Reply } from '../../contract/operation.ts'
import { formPostPage } from '../../pages/form-post.ts'

/** Answers with the self-submitting page. */
export function formPost(redirectUri: string, parameters: Readonly<Record<string, string | number>>): Reply {
  const texts = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
  const { html, headers } = formPostPage(redirectUri, texts)
  return { status: 200, html, headers }
}
