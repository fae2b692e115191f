/** The built-in contents in English. */
import type { BuiltInContents } from './content.ts'

const ignore = 'If it was not you, ignore this message.'

export const english: BuiltInContents = {
  recovery_code_template: {
    Email: {
      subject: 'Your recovery code',
      paragraphs: `Hello \${user.name},

somebody wants to choose a new password for your account \${user.username}. If that is you, type this code where you were asked for it:

\${code}

It is good for five minutes and works once. If it was not you, ignore this message: your password stays as it is.`,
    },
    SMS: 'Your recovery code is ${code}. Whoever knows it can choose a new password for your account: give it to nobody.',
  },
  backchannel_authentication: {
    Email: {
      subject: 'A request waits for you',
      paragraphs: `Hello \${user.name},

\${application.name} asks you to approve a request. If you know of it, sign on here as \${user.username} and see what it is:

\${approvalUrl}

The link is good for a few minutes. If you know of no request, ignore this message: nothing happens without you.`,
    },
  },
  user_invitation: {
    Email: {
      subject: 'You are invited',
      paragraphs: `Hello \${user.name},

you are invited to \${application.name}. Your account \${user.username} is ready; choose a password for it here:

\${inviteUrl}

The link is good for seven days and works once. Give it to nobody. If you expect no invitation, ignore this message.`,
    },
  },
  email_verification_user: {
    Email: {
      subject: 'Confirm your e-mail address',
      paragraphs: `Hello \${user.name},

type this code to confirm that this is the e-mail address of your account \${user.username}:

\${code}

It is good for five minutes and works once. If you have no such account, ignore this message.`,
    },
  },
  email_address_changed_admin: {
    Email: {
      subject: 'Your e-mail address was changed',
      paragraphs: `Hello \${user.name},

the e-mail address of your account \${user.username} was changed: \${user.email} is no longer part of it. An administrator did that, or the provider through which you sign on.

If you do not know why, ask your administrator.`,
    },
  },
  email_address_changed_user: {
    Email: {
      subject: 'Your e-mail address was changed',
      paragraphs: `Hello \${user.name},

the e-mail address of your account \${user.username} was changed: \${user.email} is no longer part of it.

If that was you, there is nothing to do. If it was not you, take the address back within three days:

\${revertUrl}

Everybody is signed out then, and you are asked for a code before anybody can sign on again. Give this link to nobody.`,
    },
  },
  email_verification_admin: {
    Email: {
      subject: 'Confirm your e-mail address',
      paragraphs: `Hello \${user.name},

an administrator asks you to confirm that this is the e-mail address of your account \${user.username}. This is the code for it:

\${code}

It works once. If you have no such account, ignore this message.`,
    },
  },
  email_phone_verification: {
    Email: {
      subject: 'Confirm your e-mail address',
      paragraphs: `Hello \${user.name},

type this code to confirm that this is your e-mail address:

\${code}

It works once. ${ignore}`,
    },
    SMS: `Your verification code is \${code}. ${ignore}`,
    Voice: 'Your verification code is <sayCharValue>${code}</sayCharValue>.<pause1sec>'.repeat(2),
  },
  verification_code_template: {
    Email: {
      subject: 'Your verification code',
      paragraphs: `Hello \${user.name},

type this code to verify your account \${user.username}:

\${code}

It is good for five minutes and works once. If you have no such account, ignore this message.`,
    },
    SMS: 'Your verification code is ${code}. If you have no account here, ignore this message.',
  },
  device_pairing: {
    Email: {
      subject: 'Confirm this address for signing on',
      paragraphs: `Hello \${user.name},

type this code to add this e-mail address to the ways in which you prove that it is you:

\${code}

It works once. If you are not adding one, ignore this message and give the code to nobody.`,
    },
    SMS: 'Your code to add this phone is ${code}. If you are not adding one, give it to nobody.',
    Voice: 'Your code to add this phone is <sayCharValue>${code}</sayCharValue>.<pause1sec>'.repeat(2),
  },
  new_device_paired: {
    Email: {
      subject: 'A device was added to your account',
      paragraphs: `Hello \${user.name},

a device was added to the ways in which you prove that it is you, for your account \${user.username}:

\${device.name}

If it was not you, tell your administrator at once.`,
    },
    SMS: 'A device was added to your account. If it was not you, tell your administrator at once.',
  },
  device_removed: {
    Email: {
      subject: 'A device was removed from your account',
      paragraphs: `Hello \${user.name},

a device was removed from the ways in which you prove that it is you, for your account \${user.username}:

\${device.name}

If it was not you, tell your administrator at once.`,
    },
    SMS: 'A device was removed from your account. If it was not you, tell your administrator at once.',
  },
  recovery_code_used: {
    Email: {
      subject: 'A recovery code was used for your account',
      paragraphs: `Hello \${user.name},

one of your recovery codes was used to sign on to your account \${user.username}. It cannot be used again.

If it was not you, change your password and tell your administrator at once.`,
    },
    SMS: 'A recovery code was used for your account. If it was not you, tell your administrator at once.',
  },
  strong_authentication: {
    Email: {
      subject: 'Your code to sign on',
      paragraphs: `Hello \${user.name},

type this code to sign on to \${application.name}:

\${code}

It works once. If you are not signing on, somebody may know your password: change it, and give the code to nobody.`,
    },
    SMS: 'Your code to sign on is ${code}. If you are not signing on, give it to nobody.',
    Voice: 'Your code to sign on is <sayCharValue>${code}</sayCharValue>.<pause1sec>'.repeat(2),
    Push: { title: 'Are you signing on?', body: 'Approve only if you are signing on to ${application.name} now.' },
  },
  transaction: {
    Email: {
      subject: 'Your code to approve',
      paragraphs: `Hello \${user.name},

type this code to approve what you began:

\${code}

It works once. If you began nothing, give the code to nobody and tell your administrator.`,
    },
    SMS: 'Your code to approve is ${code}. If you began nothing, give it to nobody.',
    Voice: 'Your code to approve is <sayCharValue>${code}</sayCharValue>.<pause1sec>'.repeat(2),
    Push: { title: 'Do you approve?', body: 'Approve only what you began yourself.' },
  },
  general: {
    Email: { subject: '${subject}', paragraphs: '${message}' },
    SMS: '${message}',
    Voice: '${message}',
    Push: { title: '${subject}', body: '${message}' },
  },
}
