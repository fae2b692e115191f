/**
 * Secrets that clients of this server prove themselves with: how they are made, sealed and written, whoever has them.
 * platform-api 3.8, decision D15. Sealed at rest with the environment's data key; requests compare the SHA-256 hash alone.
 *
 * Never: a secret that somebody chose.
 */
import { hash, type KeyObject } from 'node:crypto'
import { type SealContext, seal } from '../keys/sealing.ts'
import { insert, remove, type Word } from '../storage/operations.ts'
import type { Statement } from '../storage/port.ts'
import { applicationSecret } from '../storage/sql/applications.ts'
import type { SecretRow } from '../storage/sql/client-secrets.ts'
import type { World } from '../world.ts'
import { type ApplicationDocument, applicationSecretContext } from './application.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'
/** 64 characters of 66 hold 386 bits. */
const secretLength = 64
/** Makes a secret: 64 characters of `a-zA-Z0-9-._~`, each equally likely. */
export function newSecret(world: World): string {
  const highest = 256 - (256 % alphabet.length)
  let secret = ''
  while (secret.length < secretLength) {
    for (const byte of world.bytes(secretLength)) {
      if (byte < highest && secret.length < secretLength) secret += alphabet[byte % alphabet.length]
    }
  }
  return secret
}

/** What identifies the environment of a secret, and seals it. */
export interface SecretKeeper {
  readonly id: string
  readonly dataKey: KeyObject
}

/** Where the secrets of a kind of owner are. */
export interface SecretStore {
  readonly table: 'application_secrets' | 'resource_secrets'
  /** The column of the owner's id. */
  readonly owner: 'application_id' | 'resource_id'
  /** What binds a sealed secret to its owner, and to being the present or the previous one. */
  readonly context: (environmentId: string, id: string, column?: 'sealed' | 'previous_sealed') => SealContext
  readonly read: (environmentId: string, id: string) => Statement<SecretRow>
}

/** The columns of a fresh secret. */
export function sealedSecret(store: SecretStore, keeper: SecretKeeper, id: string, secret: string, world: World) {
  return {
    sealed: seal(keeper.dataKey, secret, store.context(keeper.id, id), world),
    hash: hash('sha256', secret, 'base64url'),
  }
}

/** Gives an owner its first secret, inside the unit that makes the owner or makes it confidential. */
export function* insertSecret(
  store: SecretStore,
  keeper: SecretKeeper,
  id: string,
  secret: string,
  now: number,
  world: World,
): Word<void> {
  yield* insert(store.table, {
    environment_id: keeper.id,
    [store.owner]: id,
    ...sealedSecret(store, keeper, id, secret, world),
    created_at: now,
  })
}

/** Takes the secrets of an owner away, inside the unit that deletes it or makes it public. */
export function* removeSecret({ table, owner }: SecretStore, environmentId: string, id: string): Word<void> {
  yield* remove(table, { environment_id: environmentId, [owner]: id })
}

/** Where the secrets of applications are. */
export const applicationSecrets: SecretStore = {
  table: 'application_secrets',
  owner: 'application_id',
  context: applicationSecretContext,
  read: applicationSecret,
}

/** Whether an application authenticates by a secret. */
export function hasSecret({ tokenEndpointAuthMethod }: Pick<ApplicationDocument, 'tokenEndpointAuthMethod'>): boolean {
  return tokenEndpointAuthMethod.startsWith('CLIENT_SECRET_')
}
