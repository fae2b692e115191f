/**
 * Sector identifiers: documents that list the redirect URIs of all applications of a sector (OpenID Connect Core section
 * 8.1, Dynamic Client Registration 1.0 section 5; row H15; the module oidcc-registration-sector-bad). Read when an
 * application is written, never at sign-on. One that nobody is sent back to shows by its `jwksUrl` that it belongs there, as
 * OpenID CIBA Core section 4 has it.
 *
 * Never: an application taken into a sector whose document does not name all of its redirect URIs, or names nothing of it;
 * an answer that tells why a document does not count (row G09).
 */
import { parseJson } from '../contract/json.ts'
import type { ApplicationDocument } from './application.ts'
import type { Egress } from '../external/egress.ts'

const maximumBytes = 64 * 1024
const maximumMilliseconds = 5_000

/**
 * Reads a document and compares it with an application.
 * @returns what is wrong; undefined when nothing is
 */
export async function sectorIdentifierProblem(
  egress: Egress,
  url: string,
  { redirectUris, jwksUrl }: Pick<ApplicationDocument, 'redirectUris' | 'jwksUrl'>,
): Promise<string | undefined> {
  const listed = await readList(egress, url)
  const named = redirectUris.length === 0 && jwksUrl !== undefined ? [jwksUrl] : redirectUris
  if (listed && named.length > 0 && named.every((uri) => listed.includes(uri))) return undefined
  return 'must be the https address of a JSON array of all redirect URIs, or of jwksUrl where there are none'
}

async function readList(egress: Egress, url: string): Promise<readonly string[] | undefined> {
  try {
    const answer = await egress({ method: 'GET', url, maximumBytes, maximumMilliseconds })
    const list: unknown = answer.status === 200 ? parseJson(answer.body) : undefined
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined
  } catch {
    return undefined
  }
}
