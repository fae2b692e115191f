/**
 * Cursors of lists: the place `(created_at, id)` after which the next page begins, bound by a MAC to the list, the
 * environment, the actor and the filter, so that a cursor edited or carried elsewhere is refused (row N22).
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { invalidData } from '../errors/problem.ts'

/** A place in a list ordered by `(created_at, id)`. */
export interface Place {
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly id: string
}

/** Encodes a place for the list that `binding` describes. */
export function encodeCursor(key: KeyObject, binding: readonly string[], place: Place): string {
  const payload = Buffer.from(JSON.stringify([place.createdAt, place.id])).toString('base64url')
  return `${payload}.${mac(key, binding, payload)}`
}

/**
 * Decodes a cursor.
 * @throws Problem INVALID_DATA when it was edited or belongs to another list, actor, environment or filter
 */
export function decodeCursor(key: KeyObject, binding: readonly string[], cursor: string): Place {
  const [payload, tag, ...rest] = cursor.split('.')
  if (payload && tag && rest.length === 0) {
    const expected = Buffer.from(mac(key, binding, payload))
    const given = Buffer.from(tag)
    if (given.length === expected.length && timingSafeEqual(given, expected)) {
      const [createdAt, id] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [number, string]
      return { createdAt, id }
    }
  }
  throw invalidData('INVALID_VALUE', 'cursor', 'is not a cursor of this list')
}

function mac(key: KeyObject, binding: readonly string[], payload: string): string {
  return createHmac('sha256', key).update(JSON.stringify(binding)).update('\n').update(payload).digest('base64url')
}
