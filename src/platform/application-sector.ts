/** The sector of an application with pairwise subjects, judged before it is written: OpenID Connect Core section 8.1. */
import type { Context } from '../contract/operation.ts'
import type { ApplicationDocument } from '../environment/application.ts'
import { invalidData } from '../errors/problem.ts'
import { sectorIdentifierProblem } from '../environment/sector-identifier.ts'

/**
 * Reads the sector identifier of an application.
 * @throws Problem INVALID_DATA when it does not list its redirect URIs, or cannot be read
 */
export async function requireSector({ kernel }: Context, document: ApplicationDocument): Promise<void> {
  const { sectorIdentifierUri: uri } = document
  const message = uri === undefined ? undefined : await sectorIdentifierProblem(kernel.egress, uri, document)
  if (message) throw invalidData('INVALID_VALUE', 'sectorIdentifierUri', message)
}
