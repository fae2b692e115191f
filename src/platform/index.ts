/** Every operation of the management API: a static list; what is not in it is not mounted. */
import type { Operation } from '../contract/operation.ts'
import { agreementLanguageOperations } from './agreement-languages.ts'
import { agreementRevisionOperations } from './agreement-revisions.ts'
import { agreementOperations } from './agreements.ts'
import { applicationAttributeOperations } from './application-attributes.ts'
import { applicationGrantOperations } from './application-grants.ts'
import { applicationSecretOperations } from './application-secret.ts'
import { applicationOperations } from './applications.ts'
import { billOfMaterialsOperations } from './bill-of-materials.ts'
import { clientRegistrationPolicyOperations } from './client-registration-policy.ts'
import { customDomainOperations } from './custom-domains.ts'
import { emailDomainOperations } from './email-domains.ts'
import { emailDeliverySettingsOperations } from './email-delivery-settings.ts'
import { deviceAuthenticationPolicyOperations } from './device-authentication-policies.ts'
import { deviceAuthenticationOperations } from './device-authentications.ts'
import { fido2PolicyOperations } from './fido2-policies.ts'
import { environmentDeletionOperations } from './environment-deletion.ts'
import { environmentTypeOperations } from './environment-type.ts'
import { environmentOperations } from './environments.ts'
import { groupNestingOperations } from './group-nestings.ts'
import { groupOperations } from './groups.ts'
import { initialAccessTokenOperations } from './initial-access-tokens.ts'
import { identityProviderAttributeOperations } from './identity-provider-attributes.ts'
import { identityProviderOperations } from './identity-providers.ts'
import { keyRotationPolicyOperations } from './key-rotation-policies.ts'
import { keyOperations } from './keys.ts'
import { languageOperations } from './languages.ts'
import { mfaSettingsOperations } from './mfa-settings.ts'
import { notificationsPolicyOperations } from './notifications-policies.ts'
import { notificationsSettingsOperations } from './notifications-settings.ts'
import { organizationOperations } from './organizations.ts'
import { passwordPolicyOperations } from './password-policies.ts'
import { phoneDeliverySettingsOperations } from './phone-delivery-settings.ts'
import { populationOperations } from './populations.ts'
import { pushCredentialsOperations } from './push-credentials.ts'
import { resourceSecretOperations } from './resource-secret.ts'
import { resourceAttributeOperations } from './resource-attributes.ts'
import { resourceOperations } from './resources.ts'
import { roleAssignmentOperations } from './role-assignments.ts'
import { roleOperations } from './roles.ts'
import { scopeOperations } from './scopes.ts'
import { settingsOperations } from './settings.ts'
import { signOnPolicyOperations } from './sign-on-policies.ts'
import { sessionLogoutOperations } from './session-logout.ts'
import { signOnPolicyActionOperations } from './sign-on-policy-actions.ts'
import { signOnPolicyAssignmentOperations } from './sign-on-policy-assignments.ts'
import { templateContentsBulkOperations } from './template-contents-bulk.ts'
import { templateContentOperations } from './template-contents.ts'
import { templateOperations } from './templates.ts'
import { userAgreementConsentOperations } from './user-agreement-consents.ts'
import { trustedEmailOperations } from './trusted-emails.ts'
import { userDeviceActionOperations } from './user-device-actions.ts'
import { userDeviceCreationOperations } from './user-device-create.ts'
import { userDeviceOperations } from './user-devices.ts'
import { userPairingKeyOperations } from './user-pairing-keys.ts'
import { userGroupOperations } from './user-groups.ts'
import { userLinkedAccountOperations } from './user-linked-accounts.ts'
import { userOauthConsentOperations } from './user-oauth-consents.ts'
import { userPasswordOperations } from './user-password.ts'
import { userSessionOperations } from './user-sessions.ts'
import { userOperations } from './users.ts'

export const platformOperations: readonly Operation[] = [
  ...organizationOperations,
  ...environmentOperations,
  ...environmentTypeOperations,
  ...environmentDeletionOperations,
  ...billOfMaterialsOperations,
  ...settingsOperations,
  ...keyRotationPolicyOperations,
  ...keyOperations,
  ...populationOperations,
  ...passwordPolicyOperations,
  ...userOperations,
  ...userPasswordOperations,
  ...userSessionOperations,
  ...sessionLogoutOperations,
  ...groupOperations,
  ...groupNestingOperations,
  ...userGroupOperations,
  ...userOauthConsentOperations,
  ...userLinkedAccountOperations,
  ...mfaSettingsOperations,
  ...deviceAuthenticationPolicyOperations,
  ...fido2PolicyOperations,
  ...deviceAuthenticationOperations,
  ...userDeviceOperations,
  ...userDeviceCreationOperations,
  ...userDeviceActionOperations,
  ...userPairingKeyOperations,
  ...userAgreementConsentOperations,
  ...applicationOperations,
  ...applicationAttributeOperations,
  ...applicationSecretOperations,
  ...pushCredentialsOperations,
  ...applicationGrantOperations,
  ...clientRegistrationPolicyOperations,
  ...initialAccessTokenOperations,
  ...resourceOperations,
  ...resourceSecretOperations,
  ...resourceAttributeOperations,
  ...scopeOperations,
  ...identityProviderOperations,
  ...identityProviderAttributeOperations,
  ...signOnPolicyOperations,
  ...signOnPolicyActionOperations,
  ...signOnPolicyAssignmentOperations,
  ...languageOperations,
  ...agreementOperations,
  ...agreementLanguageOperations,
  ...agreementRevisionOperations,
  ...templateOperations,
  ...templateContentOperations,
  ...templateContentsBulkOperations,
  ...notificationsPolicyOperations,
  ...notificationsSettingsOperations,
  ...emailDeliverySettingsOperations,
  ...phoneDeliverySettingsOperations,
  ...customDomainOperations,
  ...emailDomainOperations,
  ...trustedEmailOperations,
  ...roleOperations,
  ...roleAssignmentOperations,
]
