/**
 * The authorization request of the demo application and what it remembers of it: state, nonce and PKCE verifier (OpenID
 * Connect Core section 3.1.2.1, RFC 7636). The memory is a cookie per request, named by the state, so that several tabs
 * do not disturb each other.
 */
import { createHash } from 'node:crypto'
import type { World } from '../world.ts'

/** What has to be known when the answer comes. */
export interface RequestMemory {
  readonly state: string
  readonly nonce: string
  /** RFC 7636 section 4.1. */
  readonly verifier: string
}

/** The request that the demo application makes. */
export interface DemoRequest {
  readonly clientId: string
  readonly redirectUri: string
  readonly issuer: string
  readonly loginHint: string
  /** What the address of the start page asks for; anything that is not the application's own business is passed on. */
  readonly wishes: Readonly<Record<string, string>>
}

const rememberedSeconds = 3600
const remembered = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/

/** What a new request is remembered by. */
export function newMemory(world: World): RequestMemory {
  const random = (size: number) => world.bytes(size).toString('base64url')
  return { state: random(16), nonce: random(16), verifier: random(32) }
}

/** The address of the authorization endpoint with the whole request. */
export function authorizationUrl(request: DemoRequest, { state, nonce, verifier }: RequestMemory): string {
  const { clientId, redirectUri, issuer, loginHint, wishes } = request
  const parameters = {
    response_type: 'code',
    scope: 'openid profile email',
    login_hint: loginHint,
    ...wishes,
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    nonce,
  }
  const challenge = {
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }
  const usesCode = parameters.response_type.split(' ').includes('code')
  return `${issuer}/authorize?${new URLSearchParams({ ...parameters, ...(usesCode ? challenge : {}) }).toString()}`
}

/** The Set-Cookie line that remembers a request. */
export function remember({ state, nonce, verifier }: RequestMemory, redirectUri: string): string {
  return `${cookieName(state)}=${nonce}.${verifier}; Max-Age=${rememberedSeconds}; ${attributes(redirectUri)}`
}

/** The Set-Cookie line that forgets it: its code can be redeemed once. */
export function forget({ state }: RequestMemory, redirectUri: string): string {
  return `${cookieName(state)}=; Max-Age=0; ${attributes(redirectUri)}`
}

/** What this browser's own request was, for the state that an answer names; undefined when it made none. */
export function recall(cookieHeader: string | undefined, state: string | undefined): RequestMemory | undefined {
  if (!state) return undefined
  const name = `${cookieName(state)}=`
  const cookie = cookieHeader?.split(';').find((pair) => pair.trim().startsWith(name))
  const [, nonce, verifier] = remembered.exec(cookie?.trim().slice(name.length) ?? '') ?? []
  return nonce && verifier ? { state, nonce, verifier } : undefined
}

function cookieName(state: string): string {
  return `demo.${state}`
}

function attributes(redirectUri: string): string {
  const { protocol, pathname } = new URL(redirectUri)
  return `Path=${pathname}; HttpOnly; SameSite=Lax${protocol === 'https:' ? '; Secure' : ''}`
}
