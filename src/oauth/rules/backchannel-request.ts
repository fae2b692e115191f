/**
 * What a backchannel authentication request may say: OpenID CIBA Core section 7.1, authentication-api 2.16.
 *
 * Never: a message that a device could show otherwise than the client does: no line breaks, no characters that turn the
 * direction of text around or are not seen.
 */

/** Life of a request where the client does not say, and the longest that it may ask for; seconds. */
export const backchannelLife = { standard: 120, longest: 600 } as const

const longestMessage = 100
/** Letters, digits, punctuation, symbols and single spaces; nothing that is not seen. */
const shownByAll = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+(?: [\p{L}\p{M}\p{N}\p{P}\p{S}]+)*$/u

/** Whether a `binding_message` can be shown. */
export function isBindingMessage(message: string): boolean {
  return message.length <= longestMessage && shownByAll.test(message)
}

/** Reads `requested_expiry`: as long as the client wants, up to the longest; undefined when it is no number of seconds. */
export function readRequestedExpiry(text: string | undefined): number | undefined {
  if (text === undefined) return backchannelLife.standard
  if (!/^[1-9]\d{0,8}$/.test(text)) return undefined
  return Math.min(Number(text), backchannelLife.longest)
}

/** The longest life of a signed request, in seconds (FAPI-CIBA section 5.2.2). */
export const longestSignedLife = 3600

/**
 * What is wrong with the claims of a signed request, beside those that every JWT of a client has; undefined when nothing is.
 * OpenID CIBA Core section 7.1.1, FAPI-CIBA section 5.2.2.
 */
export function signedRequestProblem(
  { exp, nbf, iat, sub }: Readonly<Record<string, unknown>>,
  clientId: string,
): string | undefined {
  // What names the client as its subject is an assertion (RFC 9101 section 10.8).
  if (sub === clientId) return 'sub is the client'
  if (typeof exp !== 'number' || typeof nbf !== 'number' || typeof iat !== 'number') return 'iat or nbf is missing'
  return exp - nbf > longestSignedLife ? 'it lives too long' : undefined
}

/** The hints that say who the user is; a request has exactly one. */
export const hintNames = ['login_hint', 'id_token_hint', 'login_hint_token'] as const

/** The one hint of a request; undefined when it has none, or several. */
export function readHint(
  values: Readonly<Record<string, string>>,
): { readonly name: (typeof hintNames)[number]; readonly value: string } | undefined {
  const hints = hintNames.flatMap((name) => {
    const value = values[name]
    return value === undefined ? [] : [{ name, value }]
  })
  return hints.length === 1 ? hints[0] : undefined
}
