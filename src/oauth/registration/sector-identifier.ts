/**
 * The sector of a client that has redirect URIs on several hosts: a document at an address of the sector lists them all
 * (OpenID Connect Dynamic Client Registration 1.0 section 5, row H15; the module oidcc-registration-sector-bad).
 *
 * Never: an answer that tells why the document does not count (row G09).
 */
import type { Context } from '../../contract/operation.ts'
import { parseJson } from '../../contract/json.ts'
import { metadataProblem } from './client-metadata.ts'

const maximumBytes = 64 * 1024
const maximumMilliseconds = 5_000

/**
 * Makes sure that every redirect URI is in the document of the sector.
 * @throws Problem invalid_client_metadata
 */
export async function requireSector(
  { kernel }: Context,
  sectorIdentifierUri: string | undefined,
  redirectUris: readonly string[],
): Promise<void> {
  if (sectorIdentifierUri === undefined) return
  const listed = /^https:\/\//i.test(sectorIdentifierUri) ? await readList(kernel, sectorIdentifierUri) : undefined
  if (listed && redirectUris.every((uri) => listed.includes(uri))) return
  throw metadataProblem(['sector_identifier_uri'], 'must be the https address of a JSON array of all redirect URIs')
}

async function readList({ egress }: Context['kernel'], url: string): Promise<readonly string[] | undefined> {
  try {
    const answer = await egress({ method: 'GET', url, maximumBytes, maximumMilliseconds })
    const list: unknown = answer.status === 200 ? parseJson(answer.body) : undefined
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined
  } catch {
    return undefined
  }
}
