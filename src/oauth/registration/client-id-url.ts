/**
 * PURE: which addresses may be client ids (draft-ietf-oauth-client-id-metadata-document section 3, row H11). What may be
 * asked at all is `external/outbound-url.ts`.
 *
 * Never: an address of this server, which would let clients be made of whatever it answers.
 */
import type { BlockList } from 'node:net'
import { outboundUrlProblem } from '../../external/outbound-url.ts'
import { type Origins, pageOrigin } from '../../site.ts'

const longest = 1024

/** Whether a client id has the form of an address; whatever else it is. */
export function isAddress(clientId: string): boolean {
  return clientId.startsWith('https://')
}

/**
 * What is wrong with a client id that is an address; undefined when nothing is.
 * @param listed addresses the operator lets the server ask beside public ones
 */
export function clientIdUrlProblem(text: string, origins: Origins, listed: BlockList | undefined): string | undefined {
  if (!isAddress(text) || text.length > longest) return `must be an https address of at most ${longest} characters`
  const unusable = outboundUrlProblem(text, listed)
  if (unusable) return unusable
  const [, path = ''] = /^https:\/\/[^/?]+([^?]*)/.exec(text) ?? []
  if (path === '' || path === '/') return 'must have a path'
  if (path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))) return 'must not have . or .. in its path'
  const { origin } = new URL(text)
  // One client has one address: host and port as browsers write them.
  if (!text.startsWith(`${origin}/`)) return 'must be written the way browsers write it'
  return [origins.authUrl, origins.apiUrl, pageOrigin(origins)].includes(origin)
    ? 'must not be an address of this server'
    : undefined
}
