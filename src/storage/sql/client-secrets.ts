/** The shape of what `application_secrets` and `resource_secrets` keep. */

/** Of a secret: its hash, and that of its predecessor while that is valid. */
export type SecretHashesRow = Pick<SecretRow, 'hash' | 'previous_hash' | 'previous_expires_at'>

/** A sealed secret with its hash, and its predecessor while that is valid. */
export interface SecretRow {
  readonly sealed: string
  readonly hash: string
  readonly previous_sealed: string | null
  readonly previous_hash: string | null
  readonly previous_expires_at: number | null
  readonly created_at: number
}
