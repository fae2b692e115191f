/** All migrations, in the order of their numbers: a static list, never a folder scan. */
import type { Migration } from '../migration.ts'
import { first } from './0001-first.ts'
import { oneTimeCodes } from './0002-one-time-codes.ts'
import { mfa } from './0003-mfa.ts'
import { identityProviders } from './0004-identity-providers.ts'
import { agreements } from './0005-agreements.ts'
import { delivery } from './0006-delivery.ts'
import { passwordLife } from './0007-password-life.ts'
import { webauthn } from './0008-webauthn.ts'
import { groups } from './0009-groups.ts'

export const migrations: readonly Migration[] = [
  first,
  oneTimeCodes,
  mfa,
  identityProviders,
  agreements,
  delivery,
  passwordLife,
  webauthn,
  groups,
]
