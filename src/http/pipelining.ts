/**
 * How many requests of one connection are under way at once (row O15). HTTP/1.1 lets a client send the next one before the
 * last is answered (RFC 9112 section 9.3.2); one packet holds hundreds, all of which would be worked on, and their answers kept
 * until somebody reads the first. Browsers send one at a time.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** How many may come before the first is answered, beside it. */
const mostBehind = 15

/** Counts the requests of connections. */
export function countPipelined(): (request: IncomingMessage, response: ServerResponse) => boolean {
  const behind = new WeakMap<Socket, number>()
  /** Counts a request until its answer is sent. @returns whether it is one too many of its connection */
  return ({ socket }, response) => {
    // An answer has the socket from the beginning, unless another one has it: there is nothing to count as a rule.
    if (response.socket !== null) return false
    const count = behind.get(socket) ?? 0
    if (count >= mostBehind) return true
    behind.set(socket, count + 1)
    response.once('close', () => behind.set(socket, (behind.get(socket) ?? 1) - 1))
    return false
  }
}
