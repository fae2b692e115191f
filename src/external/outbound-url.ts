/**
 * PURE: which addresses of the web the server may be told to ask. The same rules hold when such an address is written
 * and again when it is used; names are judged once more by what they resolve to (egress.ts). Rows G01, G02, G05, G15,
 * G16.
 *
 * Never: an address repaired by parsing; a scheme, credentials or a character that another parser would read otherwise.
 */
import type { BlockList } from 'node:net'
import { isWebPort, reachOf } from './addresses.ts'

const maximumLength = 4096

/** What is wrong with an address the server shall ask; undefined when nothing is. */
export function outboundUrlProblem(text: string, listed: BlockList | undefined): string | undefined {
  if (text.length > maximumLength) return `must not be longer than ${maximumLength} characters`
  if (!/^[\x21-\x7e]+$/.test(text) || /["<>\\^`{|}]/.test(text)) return 'must be a well-formed URL'
  if (/%(?![0-9a-f]{2})/i.test(text) || /%(?:[01][0-9a-f]|7f)/i.test(text)) return 'must be well percent-encoded'
  const [, scheme = '', authority = ''] = /^(https?):\/\/([^/?#]+)/i.exec(text) ?? []
  if (authority === '' || !URL.canParse(text)) return 'must be an https address'
  if (authority.includes('@')) return 'must not hold credentials'
  if (text.includes('#')) return 'must not have a fragment'
  const { hostname } = new URL(text)
  if (authority.toLowerCase().replace(/:\d+$/, '') !== hostname) return 'must name its host the way browsers write it'
  const reach = literalReach(hostname, listed)
  if (reach === 'closed') return 'must not name an address that is not public'
  const isListed = reach === 'listed'
  if (scheme.toLowerCase() === 'http' && !isListed && !mayBeListed(hostname, listed)) return 'must be an https address'
  return isListed || isWebPort(portOf(text)) || mayBeListed(hostname, listed) ? undefined : 'must not use this port'
}

/** The port of an http or https address. */
export function portOf(text: string): number {
  const { port, protocol } = new URL(text)
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}

/** The reach of a host that is an address itself, or the name of the machine; undefined for other names. */
function literalReach(hostname: string, listed: BlockList | undefined) {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (/^(?:.+\.)?localhost\.?$/.test(hostname)) return reachOf('127.0.0.1', listed)
  return /^[\d.]+$/.test(address) || address.includes(':') ? reachOf(address, listed) : undefined
}

/** A name may resolve to an address the operator lists; whether it does shows when it is used. */
function mayBeListed(hostname: string, listed: BlockList | undefined): boolean {
  return listed !== undefined && literalReach(hostname, listed) === undefined
}
