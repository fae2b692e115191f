/** Why the answer of an identity provider is not believed: closed, so that audit events and tests can name it. */

/** Each reason with its meaning. */
export const upstreamRefusals = {
  'provider-error': 'The provider answered with an error.',
  'code-missing': 'The provider sent no authorization code.',
  'issuer-mismatch': 'The provider calls itself something else than what is configured.',
  'provider-unreachable': 'An endpoint of the provider did not answer, or not as it should.',
  'code-rejected': 'The provider did not take the authorization code.',
  'id-token-missing': 'The provider sent no ID token.',
  'id-token-malformed': 'The ID token is no signed JWT.',
  'id-token-algorithm': 'The ID token is signed in a way that is not accepted.',
  'id-token-key': 'No key of the provider fits the ID token.',
  'id-token-signature': 'The signature of the ID token does not hold.',
  'id-token-issuer': 'The ID token is of another issuer.',
  'id-token-audience': 'The ID token is for somebody else.',
  'id-token-time': 'The ID token is expired, too old, or of the future.',
  'id-token-nonce': 'The ID token does not belong to this round trip.',
  'id-token-hash': 'The ID token was issued with another access token.',
  'subject-unusable': 'What names the account at the provider is missing or not usable.',
  'subject-mismatch': 'The user information is about somebody else than the ID token.',
} as const

export type UpstreamRefusal = keyof typeof upstreamRefusals

/** The answer of a provider is not believed. */
export class UpstreamRefused extends Error {
  override readonly name = 'UpstreamRefused'
  readonly reason: UpstreamRefusal
  constructor(reason: UpstreamRefusal, cause?: unknown) {
    super(upstreamRefusals[reason], cause === undefined ? {} : { cause })
    this.reason = reason
  }
}
