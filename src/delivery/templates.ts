/**
 * What notifications say, in every language they come in: platform-api 3.18. `${name}` stands for a variable of the
 * notification; one that is missing is left empty, and what a variable holds is text and nothing else (rows of 1.W).
 *
 * Never: a link built from anything but the configured origins (row K18); a second look at what a variable brought in.
 */
import type { Notification, TemplateName } from './notification.ts'

/** The contents of one template in one language. Paragraphs are separated by empty lines. */
interface Content {
  readonly subject: string
  readonly body: string
}

const fallback = 'en'

const contents: Readonly<Record<TemplateName, Readonly<Record<'en' | 'de', Content>>>> = {
  recovery_code_template: {
    en: {
      subject: 'Your recovery code',
      body: `Hello \${user.name},

somebody wants to choose a new password for your account \${user.username}. If that is you, type this code where you were asked for it:

\${code}

It is good for five minutes and works once. If it was not you, ignore this message: your password stays as it is.`,
    },
    de: {
      subject: 'Ihr Wiederherstellungscode',
      body: `Guten Tag \${user.name},

jemand möchte ein neues Passwort für Ihr Konto \${user.username} wählen. Wenn Sie das sind, geben Sie diesen Code dort ein, wo Sie danach gefragt wurden:

\${code}

Er gilt fünf Minuten und nur einmal. Wenn Sie es nicht waren, ist nichts zu tun: Ihr Passwort bleibt, wie es ist.`,
    },
  },
  strong_authentication: {
    en: {
      subject: 'Your passcode',
      body: `Hello \${user.name},

this is the passcode to sign on as \${user.username}:

\${code}

It is good for \${minutes} minutes and works once. If you are not signing on, somebody knows your password: change it.`,
    },
    de: {
      subject: 'Ihr Einmalpasscode',
      body: `Guten Tag \${user.name},

mit diesem Passcode melden Sie sich als \${user.username} an:

\${code}

Er gilt \${minutes} Minuten und nur einmal. Wenn Sie sich gerade nicht anmelden, kennt jemand Ihr Passwort: Ändern Sie es.`,
    },
  },
  device_pairing: {
    en: {
      subject: 'Confirm this address for signing on',
      body: `Hello \${user.name},

type this passcode to use this e-mail address as a second factor of \${user.username}:

\${code}

It is good for \${minutes} minutes and works once. If you did not ask for it, ignore this message.`,
    },
    de: {
      subject: 'Bestätigen Sie diese Adresse für die Anmeldung',
      body: `Guten Tag \${user.name},

geben Sie diesen Passcode ein, um diese E-Mail-Adresse als zweiten Faktor von \${user.username} zu verwenden:

\${code}

Er gilt \${minutes} Minuten und nur einmal. Wenn Sie nicht danach gefragt haben, ist nichts zu tun.`,
    },
  },
  email_verification_user: {
    en: {
      subject: 'Confirm your e-mail address',
      body: `Hello \${user.name},

type this code to confirm that this is the e-mail address of your account \${user.username}:

\${code}

It is good for five minutes and works once. If you have no such account, ignore this message.`,
    },
    de: {
      subject: 'Bestätigen Sie Ihre E-Mail-Adresse',
      body: `Guten Tag \${user.name},

geben Sie diesen Code ein, um zu bestätigen, dass dies die E-Mail-Adresse Ihres Kontos \${user.username} ist:

\${code}

Er gilt fünf Minuten und nur einmal. Wenn Sie kein solches Konto haben, ist nichts zu tun.`,
    },
  },
}

/** A message ready to be sent. */
export interface RenderedMessage {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Renders a notification in the first of its languages that there is. */
export function renderNotification({ template, locales, variables }: Notification): RenderedMessage {
  const translations = contents[template]
  const languages = locales.map((tag) => tag.split('-')[0]?.toLowerCase() ?? '')
  const language = languages.find((tag): tag is keyof typeof translations => Object.hasOwn(translations, tag))
  const { subject, body } = translations[language ?? fallback]
  const paragraphs = body.split('\n\n').map((paragraph) => `<p>${fill(escape(paragraph), variables, escape)}</p>`)
  return {
    // A line break in a header would begin another one.
    subject: fill(subject, variables, (value) => value.replaceAll(/[\r\n]+/g, ' ')),
    text: fill(body, variables, (value) => value),
    html: `<!doctype html><html lang="${language ?? fallback}"><body>${paragraphs.join('\n')}</body></html>`,
  }
}

function fill(text: string, variables: Notification['variables'], prepare: (value: string) => string): string {
  return text.replaceAll(/\$\{([\w.]+)\}/g, (_, name: string) =>
    Object.hasOwn(variables, name) ? prepare(variables[name] ?? '') : '',
  )
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
