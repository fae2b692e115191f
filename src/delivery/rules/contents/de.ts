/** The built-in contents in German. */
import type { BuiltInContents } from './content.ts'

const ignore = 'Wenn Sie es nicht waren, ist nichts zu tun.'

export const german: BuiltInContents = {
  recovery_code_template: {
    Email: {
      subject: 'Ihr Wiederherstellungscode',
      paragraphs: `Guten Tag \${user.name},

jemand möchte ein neues Passwort für Ihr Konto \${user.username} wählen. Wenn Sie das sind, geben Sie diesen Code dort ein, wo Sie danach gefragt wurden:

\${code}

Er gilt fünf Minuten und nur einmal. Wenn Sie es nicht waren, ist nichts zu tun: Ihr Passwort bleibt, wie es ist.`,
    },
    SMS: 'Ihr Wiederherstellungscode: ${code}. Wer ihn kennt, kann ein neues Passwort für Ihr Konto wählen: geben Sie ihn niemandem.',
  },
  backchannel_authentication: {
    Email: {
      subject: 'Eine Anfrage wartet auf Sie',
      paragraphs: `Guten Tag \${user.name},

\${application.name} bittet Sie, eine Anfrage zu bestätigen. Wenn Sie davon wissen, melden Sie sich hier als \${user.username} an und sehen Sie, worum es geht:

\${approvalUrl}

Der Link ist wenige Minuten gültig. Wenn Sie von keiner Anfrage wissen, ignorieren Sie diese Nachricht: Ohne Sie geschieht nichts.`,
    },
  },
  email_verification_user: {
    Email: {
      subject: 'Bestätigen Sie Ihre E-Mail-Adresse',
      paragraphs: `Guten Tag \${user.name},

geben Sie diesen Code ein, um zu bestätigen, dass dies die E-Mail-Adresse Ihres Kontos \${user.username} ist:

\${code}

Er gilt fünf Minuten und nur einmal. Wenn Sie kein solches Konto haben, ist nichts zu tun.`,
    },
  },
  user_invitation: {
    Email: {
      subject: 'Sie sind eingeladen',
      paragraphs: `Guten Tag \${user.name},

Sie sind zu \${application.name} eingeladen. Ihr Konto \${user.username} ist bereit; wählen Sie hier ein Passwort dafür:

\${inviteUrl}

Der Link gilt sieben Tage und einmal. Geben Sie ihn niemandem. Wenn Sie keine Einladung erwarten, brauchen Sie nichts zu tun.`,
    },
  },
  email_address_changed_admin: {
    Email: {
      subject: 'Ihre E-Mail-Adresse wurde geändert',
      paragraphs: `Guten Tag \${user.name},

die E-Mail-Adresse Ihres Kontos \${user.username} wurde geändert: \${user.email} gehört nicht mehr dazu. Das war Ihre Administration oder der Anbieter, bei dem Sie sich anmelden.

Wenn Sie nicht wissen, warum, fragen Sie Ihre Administration.`,
    },
  },
  email_address_changed_user: {
    Email: {
      subject: 'Ihre E-Mail-Adresse wurde geändert',
      paragraphs: `Guten Tag \${user.name},

die E-Mail-Adresse Ihres Kontos \${user.username} wurde geändert: \${user.email} gehört nicht mehr dazu.

Wenn Sie das waren, brauchen Sie nichts zu tun. Wenn nicht, holen Sie die Adresse innerhalb von drei Tagen zurück:

\${revertUrl}

Alle werden dann abgemeldet, und vor der nächsten Anmeldung wird nach einem Code gefragt. Geben Sie diesen Link niemandem.`,
    },
  },
  email_verification_admin: {
    Email: {
      subject: 'Bestätigen Sie Ihre E-Mail-Adresse',
      paragraphs: `Guten Tag \${user.name},

Sie werden gebeten zu bestätigen, dass dies die E-Mail-Adresse Ihres Kontos \${user.username} ist. Das ist der Code dafür:

\${code}

Er gilt nur einmal. Wenn Sie kein solches Konto haben, ist nichts zu tun.`,
    },
  },
  email_phone_verification: {
    Email: {
      subject: 'Bestätigen Sie Ihre E-Mail-Adresse',
      paragraphs: `Guten Tag \${user.name},

geben Sie diesen Code ein, um zu bestätigen, dass dies Ihre E-Mail-Adresse ist:

\${code}

Er gilt nur einmal. ${ignore}`,
    },
    SMS: `Ihr Bestätigungscode: \${code}. ${ignore}`,
    Voice: 'Ihr Bestätigungscode lautet <sayCharValue>${code}</sayCharValue>.<pause1sec>'.repeat(2),
  },
  verification_code_template: {
    Email: {
      subject: 'Ihr Bestätigungscode',
      paragraphs: `Guten Tag \${user.name},

geben Sie diesen Code ein, um Ihr Konto \${user.username} zu bestätigen:

\${code}

Er gilt fünf Minuten und nur einmal. Wenn Sie kein solches Konto haben, ist nichts zu tun.`,
    },
    SMS: 'Ihr Bestätigungscode: ${code}. Wenn Sie hier kein Konto haben, ist nichts zu tun.',
  },
  device_pairing: {
    Email: {
      subject: 'Bestätigen Sie diese Adresse für die Anmeldung',
      paragraphs: `Guten Tag \${user.name},

geben Sie diesen Code ein, damit Sie sich künftig auch über diese E-Mail-Adresse ausweisen können:

\${code}

Er gilt nur einmal. Wenn Sie gerade keine Adresse hinzufügen, geben Sie den Code niemandem.`,
    },
    SMS: 'Ihr Code, um dieses Telefon hinzuzufügen: ${code}. Wenn Sie das gerade nicht tun, geben Sie ihn niemandem.',
    Voice: 'Ihr Code, um dieses Telefon hinzuzufügen, lautet <sayCharValue>${code}</sayCharValue>.<pause1sec>'.repeat(
      2,
    ),
  },
  new_device_paired: {
    Email: {
      subject: 'Ihrem Konto wurde ein Gerät hinzugefügt',
      paragraphs: `Guten Tag \${user.name},

mit diesem Gerät kann man sich jetzt für Ihr Konto \${user.username} ausweisen:

\${device.name}

Wenn Sie es nicht hinzugefügt haben, sagen Sie es sofort Ihrer Administration.`,
    },
    SMS: 'Ihrem Konto wurde ein Gerät hinzugefügt. Wenn Sie es nicht waren, sagen Sie es sofort Ihrer Administration.',
  },
  device_removed: {
    Email: {
      subject: 'Von Ihrem Konto wurde ein Gerät entfernt',
      paragraphs: `Guten Tag \${user.name},

mit diesem Gerät kann man sich nicht mehr für Ihr Konto \${user.username} ausweisen:

\${device.name}

Wenn Sie es nicht entfernt haben, sagen Sie es sofort Ihrer Administration.`,
    },
    SMS: 'Von Ihrem Konto wurde ein Gerät entfernt. Wenn Sie es nicht waren, sagen Sie es sofort Ihrer Administration.',
  },
  recovery_code_used: {
    Email: {
      subject: 'Für Ihr Konto wurde ein Notfallcode benutzt',
      paragraphs: `Guten Tag \${user.name},

mit einem Ihrer Notfallcodes hat sich jemand bei Ihrem Konto \${user.username} angemeldet. Er gilt nicht noch einmal.

Wenn Sie es nicht waren, ändern Sie Ihr Passwort und sagen Sie es sofort Ihrer Administration.`,
    },
    SMS: 'Für Ihr Konto wurde ein Notfallcode benutzt. Wenn Sie es nicht waren, sagen Sie es sofort Ihrer Administration.',
  },
  strong_authentication: {
    Email: {
      subject: 'Ihr Code für die Anmeldung',
      paragraphs: `Guten Tag \${user.name},

geben Sie diesen Code ein, um sich bei \${application.name} anzumelden:

\${code}

Er gilt nur einmal. Wenn Sie sich gerade nicht anmelden, kennt vielleicht jemand Ihr Passwort: ändern Sie es, und geben Sie den Code niemandem.`,
    },
    SMS: 'Ihr Code für die Anmeldung: ${code}. Wenn Sie sich gerade nicht anmelden, geben Sie ihn niemandem.',
    Voice: 'Ihr Code für die Anmeldung lautet <sayCharValue>${code}</sayCharValue>.<pause1sec>'.repeat(2),
    Push: {
      title: 'Melden Sie sich gerade an?',
      body: 'Bestätigen Sie nur, wenn Sie sich jetzt bei ${application.name} anmelden.',
    },
  },
  transaction: {
    Email: {
      subject: 'Ihr Code zur Freigabe',
      paragraphs: `Guten Tag \${user.name},

geben Sie diesen Code ein, um freizugeben, was Sie begonnen haben:

\${code}

Er gilt nur einmal. Wenn Sie nichts begonnen haben, geben Sie den Code niemandem und sagen Sie es Ihrer Administration.`,
    },
    SMS: 'Ihr Code zur Freigabe: ${code}. Wenn Sie nichts begonnen haben, geben Sie ihn niemandem.',
    Voice: 'Ihr Code zur Freigabe lautet <sayCharValue>${code}</sayCharValue>.<pause1sec>'.repeat(2),
    Push: { title: 'Geben Sie frei?', body: 'Geben Sie nur frei, was Sie selbst begonnen haben.' },
  },
  general: {
    Email: { subject: '${subject}', paragraphs: '${message}' },
    SMS: '${message}',
    Voice: '${message}',
    Push: { title: '${subject}', body: '${message}' },
  },
}
