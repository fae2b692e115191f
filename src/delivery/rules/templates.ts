/**
 * The notification templates: PingOne's sixteen names and five of Stile's (extension), and what each of them may say.
 * platform-api 3.18.
 *
 * Never: a name that is not in this list; a variable that a template does not name (unless it takes any).
 */

/** How a message reaches a person: a closed list. */
export const deliveryMethods = ['Email', 'SMS', 'Voice', 'Push'] as const
export type DeliveryMethod = (typeof deliveryMethods)[number]

/** A template as clients read it. */
export interface Template {
  readonly displayName: string
  readonly description: string
  readonly deliveryMethods: readonly DeliveryMethod[]
  /** What a text may name as `${name}`, and what it stands for. */
  readonly variables: Readonly<Record<string, string>>
  /** Whether a text may name anything that whoever sends the message gives. */
  readonly allowDynamicVariables: boolean
  /** A warning that whoever it warns of must not be able to keep back by using a limit up (row K34). */
  readonly isWarning: boolean
}

/** Known of every person. */
const person = {
  'user.username': 'The username',
  'user.name': 'How the person is addressed: the given name, or else the username',
  'user.name.given': 'The given name',
  'user.name.family': 'The family name',
  'user.email': 'The e-mail address',
}
const code = { ...person, code: 'The code that the person types', otp: 'The same code' }

function template(
  displayName: string,
  description: string,
  methods: readonly DeliveryMethod[],
  variables: Readonly<Record<string, string>>,
  more: { readonly dynamic?: true; readonly warning?: true } = {},
): Template {
  return {
    displayName,
    description,
    deliveryMethods: methods,
    variables,
    allowDynamicVariables: more.dynamic === true,
    isWarning: more.warning === true,
  }
}

const credential = { ...person, 'credential.name': 'The name of the credential' }

export const templates = {
  backchannel_authentication: template(
    'Backchannel authentication',
    'Extension: asks the user to approve the request of an application, by a link.',
    ['Email'],
    { ...person, 'application.name': 'What asks', approvalUrl: 'Where the request is approved' },
  ),
  credential_issued: template('Credential issued', 'A digital credential was issued.', ['Email', 'SMS'], credential),
  credential_revoked: template('Credential revoked', 'A digital credential was revoked.', ['Email', 'SMS'], credential),
  credential_updated: template('Credential updated', 'A digital credential was changed.', ['Email', 'SMS'], credential),
  credential_verification: template(
    'Credential verification',
    'Asks for a digital credential.',
    ['Email', 'SMS'],
    credential,
  ),
  device_pairing: template('Device pairing', 'The code that proves a new MFA device.', ['Email', 'SMS', 'Voice'], code),
  digital_wallet_pairing: template('Digital wallet pairing', 'Pairs a digital wallet.', ['Email', 'SMS'], person),
  email_address_changed_admin: template(
    'E-mail address changed for a user',
    'Extension: tells the old e-mail address that an administrator or an identity provider has changed it.',
    ['Email'],
    person,
    { warning: true },
  ),
  email_address_changed_user: template(
    'E-mail address changed',
    'Extension: tells the old e-mail address that the user has changed it, and how to take it back.',
    ['Email'],
    { ...person, revertUrl: 'Where the change can be taken back' },
    { warning: true },
  ),
  email_verification_admin: template(
    'E-mail verification by an administrator',
    'The code that proves the e-mail address of an account, where an administrator asks for it.',
    ['Email'],
    code,
  ),
  email_verification_user: template(
    'E-mail verification',
    'The code that proves the e-mail address of an account.',
    ['Email'],
    code,
  ),
  email_phone_verification: template(
    'E-mail or phone verification',
    'The code that proves an e-mail address or a phone number.',
    ['Email', 'SMS', 'Voice'],
    code,
  ),
  general: template('General', 'Anything.', ['Email', 'SMS', 'Voice', 'Push'], person, { dynamic: true }),
  id_verification: template('Identity verification', 'Asks to verify an identity.', ['Email', 'SMS'], person),
  new_device_paired: template('New device', 'Tells that an MFA device was added to the account.', ['Email', 'SMS'], {
    ...person,
    'device.name': 'The device',
  }),
  device_removed: template(
    'Device removed',
    'Tells that an MFA device was removed from the account.',
    ['Email', 'SMS'],
    {
      ...person,
      'device.name': 'The device',
    },
  ),
  recovery_code_used: template(
    'Recovery code used',
    'Extension: tells that one of the codes that the person keeps on paper was used.',
    ['Email', 'SMS'],
    person,
    { warning: true },
  ),
  recovery_code_template: template(
    'Recovery code',
    'The code with which a new password may be chosen.',
    ['Email', 'SMS'],
    code,
  ),
  strong_authentication: template(
    'Strong authentication',
    'The code, or the question, that proves a second factor.',
    ['Email', 'SMS', 'Voice', 'Push'],
    { ...code, 'application.name': 'Where the person signs on' },
  ),
  transaction: template(
    'Transaction approval',
    'The code, or the question, by which a transaction is approved.',
    ['Email', 'SMS', 'Voice', 'Push'],
    code,
    { dynamic: true },
  ),
  user_invitation: template(
    'Invitation',
    'Extension: invites a user to choose the first password of their account, by a link.',
    ['Email'],
    {
      ...person,
      'application.name': 'What the person is invited to: an application, or the environment',
      inviteUrl: 'Where the invitation is accepted',
    },
  ),
  verification_code_template: template(
    'Verification code',
    'The code with which an account is verified.',
    ['Email', 'SMS'],
    code,
  ),
} as const satisfies Readonly<Record<string, Template>>

/** The name of a template. */
export type TemplateName = keyof typeof templates

/** Whether there is a template of this name. */
export function isTemplateName(name: string): name is TemplateName {
  return Object.hasOwn(templates, name)
}
