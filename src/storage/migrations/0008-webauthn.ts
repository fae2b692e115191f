/** FIDO2 policies, WebAuthn credentials and challenges, and push authentication of mobile devices. */
import type { Migration } from '../migration.ts'

export const webauthn: Migration = {
  number: 8,
  name: 'webauthn',
  steps: [],
}
