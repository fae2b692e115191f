/**
 * What the sign-on pages say of the application beside its name: that it has registered itself, the hosts it can be held
 * to, and where its policies are (rows A22, H08, H14; OpenID Connect Dynamic Client Registration 1.0 section 2).
 */
import type { ClientView, Unverified } from '../flow-runtime/client-view.ts'
import { type Html, html } from './html.ts'
import { type Language, say, type TextName } from './texts/language.ts'

/** What users should know before they answer anything; nothing for an application that an administrator has made. */
export function unverifiedNote(
  applicationName: string,
  { unverified }: ClientView,
  language: Language,
): Html | undefined {
  if (!unverified) return undefined
  const sentences = [
    say(language, 'client.unverified', { application: applicationName }),
    ...about(unverified, language),
  ]
  return html`<p class="caution"><bdi>${sentences.join(' ')}</bdi></p>`
}

function about({ clientHost, returnHost }: Unverified, language: Language): readonly string[] {
  return [
    ...(clientHost === undefined ? [] : [say(language, 'client.described', { host: clientHost })]),
    goesTo(returnHost, language),
    ...(clientHost !== undefined && typeof returnHost === 'string' && clientHost !== returnHost
      ? [say(language, 'client.elsewhere')]
      : []),
  ]
}

function goesTo(returnHost: Unverified['returnHost'], language: Language): string {
  if (returnHost === undefined) return say(language, 'client.polls')
  return returnHost === null ? say(language, 'client.device') : say(language, 'client.returns', { host: returnHost })
}

/** Links to the policies of the application, where it has some. */
export function policyLinks({ policyUri, tosUri }: ClientView, language: Language): Html | undefined {
  const link = (href: string | undefined, text: TextName) =>
    href !== undefined &&
    html`<a class="link" href="${href}" target="_blank" rel="noopener noreferrer">${say(language, text)}</a>`
  const links = [link(policyUri, 'client.policy'), link(tosUri, 'client.terms')].filter((one) => one !== false)
  return links.length > 0 ? html`<p class="others">${links}</p>` : undefined
}
