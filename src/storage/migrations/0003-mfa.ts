/** MFA: devices, device authentication policies, pairing keys, stand-alone device authentications. */
import type { Migration } from '../migration.ts'

export const mfa: Migration = {
  number: 3,
  name: 'mfa',
  steps: [],
}
