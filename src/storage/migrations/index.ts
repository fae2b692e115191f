/** All migrations, in the order of their numbers: a static list, never a folder scan. */
import type { Migration } from '../migration.ts'
import { first } from './0001-first.ts'
import { oneTimeCodes } from './0002-one-time-codes.ts'
import { inbox } from './0003-inbox.ts'
import { identityProviders } from './0004-identity-providers.ts'
import { notifications } from './0005-notifications.ts'
import { mfa } from './0006-mfa.ts'
import { fido2 } from './0007-fido2.ts'
import { recoveryCodes } from './0008-recovery-codes.ts'
import { agreements } from './0009-agreements.ts'
import { groups } from './0010-groups.ts'
import { emailDomains } from './0011-email-domains.ts'
import { oauthConsents } from './0012-oauth-consents.ts'
import { deviceAuthentications } from './0013-device-authentications.ts'
import { rememberedBrowsers } from './0014-remembered-browsers.ts'
import { mobileDevices } from './0015-mobile-devices.ts'
import { usedJwts } from './0016-used-jwts.ts'
import { pushedRequests } from './0017-pushed-requests.ts'
import { resourceSecrets } from './0018-resource-secrets.ts'
import { polledGrants } from './0019-polled-grants.ts'
import { keyRotationPolicies } from './0020-key-rotation-policies.ts'
import { clientRegistration } from './0021-client-registration.ts'
import { attributeMappings } from './0022-attribute-mappings.ts'
import { opaqueTokens } from './0023-opaque-tokens.ts'
import { customDomains } from './0024-custom-domains.ts'
import { pushCredentials } from './0025-push-credentials.ts'
import { fido2Attestations } from './0026-fido2-attestations.ts'
import { invitations } from './0027-invitations.ts'
import { devicePairings } from './0028-device-pairings.ts'
import { lookupsByUser } from './0029-lookups-by-user.ts'

export const migrations: readonly Migration[] = [
  first,
  oneTimeCodes,
  inbox,
  identityProviders,
  notifications,
  mfa,
  fido2,
  recoveryCodes,
  agreements,
  groups,
  emailDomains,
  oauthConsents,
  deviceAuthentications,
  rememberedBrowsers,
  mobileDevices,
  usedJwts,
  pushedRequests,
  resourceSecrets,
  polledGrants,
  keyRotationPolicies,
  clientRegistration,
  attributeMappings,
  opaqueTokens,
  customDomains,
  pushCredentials,
  fido2Attestations,
  invitations,
  devicePairings,
  lookupsByUser,
]
