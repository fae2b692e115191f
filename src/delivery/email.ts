/**
 * E-mail over SMTP (nodemailer): by the server of an environment (port 465 with TLS from the start, elsewhere TLS before
 * anything else), or by that of the node, which `STILE_SMTP_URL` names. Or over HTTP, by a provider of one's own. The
 * library is imported when the first message goes out. platform-api 3.18.
 *
 * Never: the answer of a server in an error, which may quote the address; a password over a connection without TLS, but
 * to an address that the operator lists; a sender through the server of the node that the tenant has not proved.
 */
import type { BlockList } from 'node:net'
import { isIP } from 'node:net'
import type { SendMailOptions, Transporter } from 'nodemailer'
import { EgressFailed } from '../external/egress.ts'
import { type MailHost, resolveMailHost } from '../external/mail-host.ts'
import { askCustomProvider, type ProviderPorts } from './ask-provider.ts'
import { fillRequest } from './custom-provider.ts'
import { PermanentFailure, TemporaryFailure } from './delivery-failure.ts'
import type { DkimSigner } from './dkim.ts'
import type { EmailSettings, HttpEmailSettings, SmtpSettings } from './email-settings.ts'
import type { MessageBy } from './rules/render.ts'
import type { Mailbox, PartialMailbox } from './rules/template-content.ts'

/** An e-mail, and to whom. */
export interface OutgoingEmail {
  /** Names the message, so that a second attempt can be told from a second message. */
  readonly id: string
  readonly to: string
  readonly message: MessageBy<'Email'>
  /** The sender and the address for answers that the environment sets where the content says none. */
  readonly defaults: { readonly from?: PartialMailbox | undefined; readonly replyTo?: PartialMailbox | undefined }
  /** What the notification knows, for providers of one's own. */
  readonly variables: Readonly<Record<string, string>>
  /** In whose name the server of the node may send it beside its own; default: nobody's. */
  readonly trustedSender?: TrustedSender | undefined
}

/** An address that an environment has proved, and what signs for its domain. */
export interface TrustedSender {
  readonly address: string
  readonly dkim: DkimSigner
}

/** The mail server of a node. */
export interface NodeEmail {
  /** @throws PermanentFailure when the server will never take it; TemporaryFailure when it may later */
  send(email: OutgoingEmail): Promise<void>
  close(): void
}

const patience = 10_000

/** Nothing that a template or a user brings may make the server read files or fetch addresses. */
const closed = { disableFileAccess: true, disableUrlAccess: true } as const
const timeouts = { connectionTimeout: patience, greetingTimeout: patience, socketTimeout: patience } as const

/**
 * Makes the sender of a node.
 * @param url `smtp://` or `smtps://`, with user and password where the server asks for them
 * @param from the sender, `Name <address>`
 */
export function nodeEmail(url: string, from: string): NodeEmail {
  let transport: Transporter | undefined
  return {
    async send(email) {
      const { createTransport } = await import('nodemailer')
      transport ??= createTransport({ url, ...timeouts, ...closed }, { from })
      // The address is the operator's, unless the tenant has proved another; the name before it is the tenant's.
      const { trustedSender } = email
      const address = trustedSender?.address ?? addressIn(from)
      const name = email.message.from?.name ?? email.defaults.from?.name
      await deliver(transport, {
        ...written(email),
        ...(address === undefined || (name === undefined && !trustedSender)
          ? {}
          : { from: { name: name ?? '', address } }),
        ...(trustedSender ? { dkim: trustedSender.dkim } : {}),
      })
    },
    close: () => transport?.close(),
  }
}

function addressIn(from: string): string | undefined {
  return /<([^<>]+)>\s*$/.exec(from)?.[1] ?? (from.includes('@') ? from.trim() : undefined)
}

/**
 * Sends by the settings of an environment.
 * @param settings with their secret
 * @throws PermanentFailure when the server will never take it; TemporaryFailure when it may later
 */
export async function sendEmail(
  ports: ProviderPorts & { readonly listed: BlockList | undefined },
  settings: EmailSettings,
  email: OutgoingEmail,
): Promise<void> {
  const from = whole(email.message.from, settings.from, email.defaults.from)
  if (!from) throw new PermanentFailure('no-sender')
  const sender = { name: from.name ?? '', address: from.address }
  if (settings.protocol === 'HTTP') return sendOverHttp(ports, settings, email, sender)
  const transport = await open(settings, ports.listed)
  try {
    await deliver(transport, { ...written(email), from: sender })
  } finally {
    transport.close()
  }
}

async function open(settings: SmtpSettings, listed: BlockList | undefined): Promise<Transporter> {
  const found = await resolveMailHost(settings.host, settings.port, listed).catch((error: unknown) => {
    if (error instanceof EgressFailed && error.reason !== 'unreachable') {
      throw new PermanentFailure('provider-not-reachable')
    }
    throw new TemporaryFailure('the name of the mail server could not be resolved')
  })
  const { createTransport } = await import('nodemailer')
  return createTransport(smtpOptions(settings, found))
}

/**
 * How to connect to the server of an environment: to the address that was judged, under the name that was given.
 * Without TLS only where the operator lists the address.
 */
export function smtpOptions({ host, port, username, password }: SmtpSettings, { address, isListed }: MailHost) {
  const secure = port === 465
  return {
    host: address,
    port,
    secure,
    requireTLS: !secure && !isListed,
    tls: { rejectUnauthorized: true, ...(isIP(host) ? {} : { servername: host }) },
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
    ...timeouts,
    ...closed,
  }
}

function written({ id, to, message, defaults }: OutgoingEmail): SendMailOptions {
  const replyTo = whole(message.replyTo, defaults.replyTo)
  return {
    to: { name: '', address: to },
    subject: message.subject,
    text: message.text,
    ...(message.html === undefined ? {} : { html: message.html }),
    ...(replyTo ? { replyTo: { name: replyTo.name ?? '', address: replyTo.address } } : {}),
    messageId: `<${id}@stile>`,
  }
}

/** The first that names an address, with the first name there is. */
function whole(...candidates: readonly (PartialMailbox | undefined)[]): Mailbox | undefined {
  const address = candidates.find((candidate) => candidate?.address !== undefined)?.address
  const name = candidates.find((candidate) => candidate?.name !== undefined)?.name
  return address === undefined ? undefined : { address, name }
}

async function sendOverHttp(
  ports: ProviderPorts,
  { requests, authentication }: HttpEmailSettings,
  { id, to, message, variables }: OutgoingEmail,
  from: { readonly name: string; readonly address: string },
): Promise<void> {
  const [request] = requests
  if (!request) throw new PermanentFailure('no-provider')
  const filling = { from: from.address, to, subject: message.subject, message: message.html ?? message.text }
  await askCustomProvider(ports, authentication, fillRequest(request, id, { ...variables, ...filling }))
}

async function deliver(transport: Transporter, mail: SendMailOptions): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const impatience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TemporaryFailure('the mail server was too slow')), patience)
  })
  try {
    await Promise.race([transport.sendMail(mail), impatience])
  } catch (error) {
    if (error instanceof TemporaryFailure) throw error
    const { responseCode, code } = error as { readonly responseCode?: unknown; readonly code?: unknown }
    // A wrong password is for the administrator to mend; the message may go out after that.
    const isLogin = code === 'EAUTH' || code === 'ENOAUTH'
    if (typeof responseCode === 'number' && responseCode >= 500 && !isLogin) {
      throw new PermanentFailure('refused', responseCode)
    }
    const what = typeof responseCode === 'number' ? responseCode : typeof code === 'string' ? code : 'unknown'
    throw new TemporaryFailure(`the message could not be handed to the mail server: ${what}`)
  } finally {
    clearTimeout(timer)
  }
}
