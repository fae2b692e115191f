/**
 * Round trips to identity providers that are under way: one for each flow, found by the hash of its state, sealed, and
 * used once. Rows M01, M02, M06.
 *
 * Never: a round trip that outlives its flow, or is used by another environment or a second request.
 */
import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Context } from '../contract/operation.ts'
import type { RoundTrip } from '../external/round-trip.ts'
import type { FlowState } from '../flow/state.ts'
import { open, seal } from '../keys/sealing.ts'
import { consume } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { AlreadyConsumed } from '../storage/refusals.ts'
import { externalAuthenticationByState, replaceExternalAuthentication } from '../storage/sql/linked-accounts.ts'

const roundTrip: z.ZodType<RoundTrip> = z.strictObject({
  identityProviderId: z.string(),
  clientId: z.string(),
  issuer: z.string().nullable(),
  redirectUri: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
})

/** A round trip as found; nothing has been used yet. */
export interface FoundRoundTrip {
  readonly flowId: string
  readonly stateHash: string
  readonly trip: RoundTrip
}

function placeOf(environmentId: string, flowId: string) {
  return { environmentId, table: 'external_authentications', row: flowId, column: 'document' } as const
}

/** Remembers a round trip; the one before it in the same flow is over. */
export async function rememberRoundTrip(
  { kernel, environment }: Context,
  flow: FlowState,
  state: string,
  trip: RoundTrip,
): Promise<void> {
  const place = placeOf(environment.id, flow.id)
  const document = seal(environment.dataKey, JSON.stringify(trip), place, kernel.world)
  const row = { flow_id: flow.id, state_hash: hash('sha256', state, 'base64url'), document, expires_at: flow.expiresAt }
  await kernel.storage.commit({
    name: 'begin-round-trip',
    single: true,
    *run() {
      yield* run(replaceExternalAuthentication(environment.id, row))
    },
  })
}

/** Finds the round trip of a state; undefined for one that is unknown, over, or of another environment. */
export async function findRoundTrip(
  { kernel, environment, now }: Context,
  state: string,
): Promise<FoundRoundTrip | undefined> {
  const stateHash = hash('sha256', state, 'base64url')
  const [row] = await kernel.storage.read(externalAuthenticationByState(environment.id, stateHash, now))
  if (!row) return undefined
  const text = open(environment.dataKey, row.document, placeOf(environment.id, row.flow_id)).toString('utf8')
  return { flowId: row.flow_id, stateHash, trip: roundTrip.parse(JSON.parse(text)) }
}

/** Uses a round trip up. @returns whether this request is the one that did */
export async function useRoundTrip(
  { kernel, environment }: Context,
  { flowId, stateHash }: FoundRoundTrip,
): Promise<boolean> {
  try {
    await kernel.storage.commit({
      name: 'end-round-trip',
      single: true,
      *run() {
        const key = { environment_id: environment.id, flow_id: flowId, state_hash: stateHash }
        yield* consume('external_authentications', key)
      },
    })
    return true
  } catch (error) {
    if (error instanceof AlreadyConsumed) return false
    throw error
  }
}
