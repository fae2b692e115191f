/**
 * E-mail over SMTP (nodemailer), by the server that `STILE_SMTP_URL` names: `smtp://` upgrades to TLS where the server
 * offers it, `smtps://` begins with it. The library is imported when the first message goes out.
 *
 * Never: the address of the server with its password in an error.
 */
import type { Transporter } from 'nodemailer'
import type { RenderedMessage } from './templates.ts'

/** Sends messages. */
export interface Email {
  /**
   * Hands a message to the server.
   * @param id names the message, so that a second attempt can be told from a second message
   * @throws PermanentFailure when the server will never take it; any other error may pass
   */
  send(id: string, to: string, message: RenderedMessage): Promise<void>
  close(): void
}

/** A message that cannot be delivered, however often it is tried. */
export class PermanentFailure extends Error {
  override readonly name = 'PermanentFailure'
}

const patience = 10_000

/**
 * Makes the sender of a node.
 * @param url `smtp://` or `smtps://`, with user and password where the server asks for them
 * @param from the sender, `Name <address>`
 */
export function smtpEmail(url: string, from: string): Email {
  let transport: Transporter | undefined
  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer')
    transport ??= createTransport(url, {
      from,
      // Nothing that a template or a user brings may make the server read files or fetch addresses.
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    return transport
  }
  return {
    async send(id, to, { subject, text, html }) {
      const mailer = await open()
      const sending = mailer.sendMail({
        to: { name: '', address: to },
        subject,
        text,
        html,
        messageId: `<${id}@stile>`,
      })
      try {
        await withPatience(sending)
      } catch (error) {
        const status = (error as { readonly responseCode?: unknown }).responseCode
        if (typeof status === 'number' && status >= 500) throw new PermanentFailure(`the server answered ${status}`)
        throw new Error('the message could not be handed to the mail server', { cause: error })
      }
    },
    close: () => transport?.close(),
  }
}

async function withPatience(sending: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const impatience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patience / 1000} s`)), patience)
  })
  try {
    await Promise.race([sending, impatience])
  } finally {
    clearTimeout(timer)
  }
}
