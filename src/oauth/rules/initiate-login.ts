/**
 * PURE: where a login that somebody else initiates begins. OpenID Connect Core section 4: the application is asked, at its
 * `initiateLoginUri`, to begin an authorization request of its own.
 *
 * Never: a `target_link_uri` at a foreign origin, so that an application which forgets to check it is no open redirector;
 * an address that runs code, even where it got registered (row A12).
 */

/** What an application registered. */
export interface LoginRegistration {
  readonly initiateLoginUri?: string | undefined
  readonly targetLinkUri?: string | undefined
  readonly homePageUrl?: string | undefined
  readonly redirectUris: readonly string[]
}

/** What a request says. */
export interface LoginWish {
  readonly loginHint: string | undefined
  readonly targetLinkUri: string | undefined
}

/** The parameters for an application, or why it cannot be asked. */
export type InitiatedLogin =
  | { readonly uri: string; readonly parameters: Readonly<Record<string, string>> }
  | { readonly refused: 'no initiateLoginUri' | 'foreign target_link_uri' }

const web = /^https?:\/\//i

/** Where a login begins, and with what. */
export function initiateLogin(issuer: string, registration: LoginRegistration, wish: LoginWish): InitiatedLogin {
  const { initiateLoginUri: uri, targetLinkUri: usual } = registration
  if (uri === undefined || !web.test(uri)) return { refused: 'no initiateLoginUri' }
  const target = wish.targetLinkUri ?? usual
  if (target !== undefined && target !== usual && !isOwn(registration, target)) {
    return { refused: 'foreign target_link_uri' }
  }
  return {
    uri,
    parameters: {
      iss: issuer,
      ...(wish.loginHint === undefined ? {} : { login_hint: wish.loginHint }),
      ...(target === undefined ? {} : { target_link_uri: target }),
    },
  }
}

/** Whether an address has the origin of one that the application registered; judged after its form (0.4 of the catalogue). */
function isOwn({ initiateLoginUri, targetLinkUri, homePageUrl, redirectUris }: LoginRegistration, target: string) {
  if (!web.test(target) || !/^[\x21-\x7e]+$/.test(target) || target.includes('\\') || target.includes('@')) return false
  const origin = URL.parse(target)?.origin
  return [initiateLoginUri, targetLinkUri, homePageUrl, ...redirectUris].some(
    (known) => known !== undefined && web.test(known) && URL.parse(known)?.origin === origin,
  )
}
