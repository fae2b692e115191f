/** A signing key as it is stored: its public half as it is, its private half sealed for its own row. */
import type { KeyObject } from 'node:crypto'
import { seal } from '../keys/sealing.ts'
import type { GeneratedSigningKey } from '../keys/signing-key.ts'
import type { World } from '../world.ts'
import { signingKeyContext } from './load.ts'

/** A row of `signing_keys`. */
export type SigningKeyColumns = {
  readonly environment_id: string
  readonly id: string
  readonly algorithm: string
  readonly public_jwk: string
  readonly sealed_private_key: string
  readonly created_at: number
  readonly expires_at: number
}

/** The row of a new signing key. */
export function sealedSigningKey(
  environmentId: string,
  dataKey: KeyObject,
  { record, pkcs8 }: GeneratedSigningKey,
  world: World,
): SigningKeyColumns {
  return {
    environment_id: environmentId,
    id: record.kid,
    algorithm: record.algorithm,
    public_jwk: JSON.stringify(record.publicJwk),
    sealed_private_key: seal(dataKey, pkcs8, signingKeyContext(environmentId, record.kid), world),
    created_at: record.createdAt,
    expires_at: record.notAfter,
  }
}
