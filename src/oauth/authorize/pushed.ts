/**
 * Pushed authorization requests as they wait for their use: RFC 9126 sections 2.2 and 4, rows C09, C10, C12 and C14. What
 * was pushed is kept by the hash of its reference, and its use is a `consume` in the unit of whatever comes of it.
 *
 * Never: a credential of the client among what is kept; a parameter of the browser beside the pushed ones; a reference
 * that works for another client, or twice.
 */
import { hash } from 'node:crypto'
import { type OneTimeJwt, useProofs } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { consume, insert, type Word } from '../../storage/operations.ts'
import { AlreadyConsumed } from '../../storage/refusals.ts'
import { pushedRequest } from '../../storage/sql/pushed-requests.ts'
import type { RequestParameters } from '../parameters.ts'
import { authorizationParameterNames } from './parameters.ts'

const referencePrefix = 'urn:ietf:params:oauth:request_uri:'
const table = 'pushed_requests'

/** A pushed request that a browser has come with. */
export interface PushedRequest {
  readonly hash: string
  readonly parameters: RequestParameters
}

/** Whether a `request_uri` has the form of a reference to a pushed request. */
export function isReference(requestUri: string): boolean {
  return requestUri.startsWith(referencePrefix)
}

function hashReference(reference: string): string {
  return hash('sha256', reference, 'base64url')
}

/**
 * Keeps a request, by a reference that cannot be guessed.
 * @param proofs what the client has proved itself by, used up with it
 * @returns the `request_uri`
 */
export async function pushRequest(
  { kernel, environment, now }: Context,
  client: Application,
  { values, resources, signed, vouchedUserId }: RequestParameters,
  proofs: readonly OneTimeJwt[],
): Promise<string> {
  const reference = `${referencePrefix}${kernel.world.bytes(32).toString('base64url')}`
  const kept = Object.fromEntries(Object.entries(values).filter(([name]) => authorizationParameterNames.includes(name)))
  await kernel.storage.commit({
    name: 'push-request',
    single: proofs.length === 0,
    *run() {
      yield* useProofs(environment.id, proofs)
      yield* insert(table, {
        environment_id: environment.id,
        reference_hash: hashReference(reference),
        client_id: client.id,
        document: JSON.stringify({ values: { ...kept, client_id: client.id }, resources, signed, vouchedUserId }),
        created_at: now,
        expires_at: now + client.document.parTimeout * 1000,
      })
    },
  })
  return reference
}

/** Finds what a client has pushed; undefined when there is nothing under this reference that is the client's and lives. */
export async function readPushed(
  { kernel, environment, now }: Context,
  client: Application,
  reference: string,
): Promise<PushedRequest | undefined> {
  const referenceHash = hashReference(reference)
  const [row] = await kernel.storage.read(pushedRequest(environment.id, referenceHash, now))
  if (row?.client_id !== client.id) return undefined
  const kept = JSON.parse(row.document) as Omit<RequestParameters, 'repeated'>
  return { hash: referenceHash, parameters: { ...kept, repeated: [] } }
}

/**
 * Uses a pushed request up, in the unit of what comes of it.
 * @throws AlreadyConsumed when somebody else has used it meanwhile
 */
export function* usePushed({ environment }: Context, pushed: PushedRequest): Word<void> {
  yield* consume(table, { environment_id: environment.id, reference_hash: pushed.hash })
}

/** Whether a unit failed because its pushed request was used before. */
export function isUsedUp(error: unknown): boolean {
  return error instanceof AlreadyConsumed && error.table === table
}
