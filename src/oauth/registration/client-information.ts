/**
 * What a client says of itself, judged, and what it is answered: RFC 7591 sections 3.2.1 and 3.2.2, RFC 7592 section 3.
 *
 * Never: a member answered that is not registered.
 */
import { z } from 'zod'
import type { Context } from '../../contract/operation.ts'
import type { ApplicationDocument } from '../../environment/application.ts'
import { sectorIdentifierProblem } from '../../environment/sector-identifier.ts'
import { clientMetadataRequest, metadataProblem, readClientMetadata } from './client-metadata.ts'
import { type RegisteredClient, registeredClient, registeredMetadata } from './registered-client.ts'
import { readSoftwareStatement } from './software-statement.ts'

/** The answer of the registration endpoint, and of a client's own registration. */
export const registrationAnswer = clientMetadataRequest.extend({
  client_id: z.string(),
  client_id_issued_at: z.int().describe('Epoch seconds.'),
  client_secret: z.string().optional(),
  client_secret_expires_at: z.int().optional().describe('0: it does not expire.'),
  registration_access_token: z.string(),
  registration_client_uri: z.string(),
})

/** The members of a request. @throws Problem invalid_client_metadata when it is no object */
export function saidBy(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body }
  throw metadataProblem([], 'the metadata must be a JSON object')
}

/**
 * The client that metadata comes to.
 * @param before what is registered so far
 * @throws Problem of RFC 7591 section 3.2.2
 */
export async function judgedClient(
  context: Context,
  body: unknown,
  before?: ApplicationDocument,
): Promise<RegisteredClient> {
  const { environment, kernel } = context
  const said = saidBy(body)
  const statement = await readSoftwareStatement(context, said, before?.registration?.softwareStatement)
  const metadata = readClientMetadata({ ...said, ...statement?.claims })
  const terms = {
    policy: environment.clientRegistrationPolicy,
    environment,
    listed: kernel.config.egressAllow,
  }
  if (!statement) return inSector(context, registeredClient(metadata, terms, before))
  const { text: softwareStatement, issuer: softwareStatementIssuer } = statement
  const registration = { ...metadata.registration, softwareStatement, softwareStatementIssuer }
  return inSector(context, registeredClient({ ...metadata, registration }, terms, before))
}

/** @throws Problem invalid_client_metadata when the document of its sector does not list all of its redirect URIs */
async function inSector({ kernel }: Context, client: RegisteredClient): Promise<RegisteredClient> {
  const { sectorIdentifierUri: uri } = client.document
  const wrong = uri === undefined ? undefined : await sectorIdentifierProblem(kernel.egress, uri, client.document)
  if (wrong !== undefined) throw metadataProblem(['sector_identifier_uri'], wrong)
  return client
}

/** What a client is told of itself. */
export function clientInformation(
  { environment, site }: Context,
  told: {
    readonly id: string
    /** Epoch milliseconds. */
    readonly createdAt: number
    readonly client: RegisteredClient
    readonly token: string
    readonly secret: string | undefined
  },
) {
  const { softwareStatement } = told.client.document.registration ?? {}
  return {
    client_id: told.id,
    client_id_issued_at: Math.floor(told.createdAt / 1000),
    ...(told.secret === undefined ? {} : { client_secret: told.secret, client_secret_expires_at: 0 }),
    ...registeredMetadata(told.client, environment),
    ...(softwareStatement === undefined ? {} : { software_statement: softwareStatement }),
    registration_access_token: told.token,
    registration_client_uri: `${site.issuer}/register/${told.id}`,
  }
}
