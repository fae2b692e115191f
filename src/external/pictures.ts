/**
 * Pictures of clients that have registered themselves, fetched here so that the browsers of users tell nobody where they
 * sign on (row H08). Kept for a while, and so is that there is none.
 *
 * Never: anything but a picture of pixels: no SVG, which may hold scripts; a type that the bytes do not bear out.
 */
import type { World } from '../world.ts'
import type { Egress } from './egress.ts'

/** A picture. */
export interface Picture {
  readonly contentType: string
  readonly content: Buffer
}

/** The pictures of a node. */
export interface Pictures {
  /** Reads a picture; undefined when there is none to be had. */
  read(url: string): Promise<Picture | undefined>
}

interface Kept {
  readonly until: number
  readonly picture: Promise<Picture | undefined>
}

const mostPictures = 100
const maximumBytes = 100 * 1024
const maximumMilliseconds = 5_000
const keptMilliseconds = 3_600_000

/** The first bytes of each kind, in hexadecimal digits. */
const kinds: readonly (readonly [string, RegExp])[] = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^474946383[79]61/],
  ['image/webp', /^52494646.{8}57454250/],
]

/** Opens the pictures of a node. */
export function openPictures(egress: Egress, world: World): Pictures {
  const kept = new Map<string, Kept>()

  async function fetchAnew(url: string): Promise<Picture | undefined> {
    const answer = await egress({ method: 'GET', url, maximumBytes, maximumMilliseconds })
    const start = answer.body.toString('hex', 0, 16)
    const [contentType] = kinds.find(([, mark]) => mark.test(start)) ?? []
    return answer.status === 200 && contentType !== undefined ? { contentType, content: answer.body } : undefined
  }

  return {
    read(url) {
      const now = world.now()
      const found = kept.get(url)
      if (found && found.until > now) return found.picture
      const picture = fetchAnew(url).catch(() => undefined)
      kept.delete(url)
      kept.set(url, { until: now + keptMilliseconds, picture })
      const [oldest] = kept.keys()
      if (kept.size > mostPictures && oldest !== undefined) kept.delete(oldest)
      return picture
    },
  }
}
