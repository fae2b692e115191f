/**
 * Pages that a browser loads before anybody asks for them (`Sec-Purpose: prefetch`, HTML section 7.6; row C24). An answer
 * that is no success makes it forget what it loaded, and ask once more when somebody really goes there.
 *
 * Never: a flow, a code or a cookie for somebody who has only rested the pointer on a link.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Operation } from '../contract/operation.ts'
import { problem } from '../errors/problem.ts'

/** Where browsers say so; the second is what Chromium sent before there was a standard. */
const purposes = ['sec-purpose', 'purpose'] as const

/** @throws Problem SPECULATIVE for a page of an environment that nobody has asked for yet */
export function refuseSpeculative({ surface, method, path }: Operation, headers: IncomingHttpHeaders): void {
  if (surface !== 'page' || method !== 'GET' || !path.startsWith('/{environmentId}/')) return
  for (const name of purposes) {
    const value = headers[name]
    if (typeof value === 'string' && /^\s*prefetch\s*(;|$)/i.test(value)) throw problem('SPECULATIVE')
  }
}
