/**
 * Which path of the server a request means (RFC 3986 sections 3.3 and 6.2.2). One tree for all methods: a router that keeps
 * one for each makes the same nine times over, an eighth of what a start costs.
 *
 * A path is taken apart at its slashes before anything is decoded, so that an encoded slash never makes a segment; each
 * segment is decoded once. A segment in words goes before one in braces. Never: a path in another case, with a slash too
 * many or with dots that lead elsewhere taken for the one that was declared.
 */

/** How many targets are remembered with what they led to. */
const mostRemembered = 500

/** A segment longer than this means nothing; ids have 36 characters. */
const longestSegment = 200

/** What stands under a path, with the segments that its braces stand for. */
export interface Found<Value> {
  readonly value: Value
  readonly params: Readonly<Record<string, string>>
}

interface Place<Value> {
  readonly words: Map<string, Place<Value>>
  braces?: Place<Value>
  declared?: { readonly names: readonly string[]; readonly value: Value }
}

/**
 * Makes the lookup.
 * @param declared paths with names in braces, `/v1/environments/{environmentId}`, and what stands under them
 * @returns finds a request's target, up to its query; undefined where nothing stands or the encoding is broken
 */
export function pathLookup<Value>(
  declared: Iterable<readonly [path: string, value: Value]>,
): (target: string) => Found<Value> | undefined {
  const root: Place<Value> = { words: new Map() }
  for (const [path, value] of declared) {
    const names: string[] = []
    let place = root
    for (const segment of path.slice(1).split('/')) {
      const name = /^\{(\w+)\}$/.exec(segment)?.[1]
      if (name === undefined) {
        const next = place.words.get(segment) ?? { words: new Map() }
        place.words.set(segment, next)
        place = next
      } else {
        names.push(name)
        place.braces ??= { words: new Map() }
        place = place.braces
      }
    }
    place.declared = { names, value }
  }
  const remembered = new Map<string, Found<Value>>()
  return (target) => {
    const known = remembered.get(target)
    if (known) return known
    const segments = segmentsOf(target)
    const values: string[] = []
    const found = segments && follow(root, segments, 0, values)
    if (!found) return undefined
    const params: Record<string, string> = {}
    found.names.forEach((name, at) => (params[name] = values[at] ?? ''))
    const result = { value: found.value, params }
    // The endpoints of an environment are asked for by the same few texts, everything else by ever new ones.
    if (found.names.length <= 1 && !target.includes('?')) {
      if (remembered.size === mostRemembered) remembered.clear()
      remembered.set(target, result)
    }
    return result
  }
}

/** @param values the segments that braces stand for, up to `at`; the rest is added */
function follow<Value>(
  place: Place<Value>,
  segments: readonly string[],
  at: number,
  values: string[],
): Place<Value>['declared'] {
  const segment = segments[at]
  if (segment === undefined) return place.declared
  const word = place.words.get(segment)
  const inWords = word && follow(word, segments, at + 1, values)
  if (inWords) return inWords
  if (!place.braces || segment === '') return undefined
  const { length } = values
  values.push(segment)
  const inBraces = follow(place.braces, segments, at + 1, values)
  if (!inBraces) values.length = length
  return inBraces
}

function segmentsOf(target: string): readonly string[] | undefined {
  const end = target.search(/[?#]/)
  const segments = (end === -1 ? target : target.slice(0, end)).slice(1).split('/')
  if (segments.some(({ length }) => length > longestSegment)) return undefined
  try {
    return segments.map((segment) => (segment.includes('%') ? decodeURIComponent(segment) : segment))
  } catch {
    return undefined
  }
}
