/** A mail server that speaks SMTP (RFC 5321, 3207, 4954) as far as a client needs it, and does what a test wants. */
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'

/** A message as it arrived. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Headers and body. */
  readonly content: string
  /** What the sender signed on with, `user:password`. */
  readonly login: string | undefined
  readonly overTls: boolean
}

/** A running mail server. */
export interface SmtpServer {
  readonly url: string
  readonly port: number
  readonly received: readonly ReceivedMail[]
  /** How many recipients were answered with something else than 250. */
  readonly refusals: number
  /** How many connections there were. */
  readonly connections: number
  /** The answer to the next recipients; default: `250 OK`. */
  answer: string
  /** Takes connections and says nothing. */
  mute: boolean
  /** Drops the connection when the message has been taken, before it says so. */
  cuts: boolean
  close(): Promise<void>
}

/** How a mail server is. */
export interface SmtpServerOptions {
  /** Offers STARTTLS with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** The only `user:password` it takes; default: it asks for none. */
  readonly login?: string
  readonly port?: number
}

/** Starts a mail server on a free port. */
export async function startSmtpServer(options: SmtpServerOptions = {}): Promise<SmtpServer> {
  const received: ReceivedMail[] = []
  const sockets = new Set<Socket>()
  const state = { answer: '250 OK', refusals: 0, connections: 0, mute: false, cuts: false }

  function serve(socket: Socket, overTls: boolean): void {
    let from = ''
    let to: string[] = []
    let data: string[] | undefined
    let login: string | undefined
    let rest = ''
    const say = (line: string) => socket.write(`${line}\r\n`)
    const end = (lines: readonly string[]) => {
      received.push({ from, to, content: lines.join('\n'), login, overTls })
      data = undefined
      if (state.cuts) socket.destroy()
      else say('250 OK')
    }
    const take = (line: string): void => {
      if (data) {
        if (line === '.') end(data)
        else data.push(line.replace(/^\./, ''))
        return
      }
      const [command = ''] = line.toUpperCase().split(' ')
      switch (command) {
        case 'EHLO':
          if (options.tls && !overTls) say('250-STARTTLS')
          if (options.login !== undefined) say('250-AUTH PLAIN')
          say('250 mail.test')
          break
        case 'STARTTLS': {
          say('220 go on')
          socket.removeAllListeners('data')
          const secured = new TLSSocket(socket, { isServer: true, ...options.tls })
          secured.on('error', () => secured.destroy())
          serve(secured, true)
          break
        }
        case 'AUTH': {
          const [, user, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
            .toString()
            .split('\0')
          login = `${user}:${password}`
          say(login === options.login ? '235 welcome' : '535 no')
          break
        }
        case 'MAIL':
          from = /<(.*?)>/.exec(line)?.[1] ?? ''
          to = []
          say('250 OK')
          break
        case 'RCPT':
          say(state.answer)
          if (state.answer.startsWith('250')) to.push(/<(.*?)>/.exec(line)?.[1] ?? '')
          else state.refusals += 1
          break
        case 'DATA':
          data = []
          say('354 go on')
          break
        case 'QUIT':
          say('221 bye')
          socket.end()
          break
        default:
          say('250 OK')
      }
    }
    socket.on('data', (chunk) => {
      rest += chunk.toString('utf8')
      const lines = rest.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) take(line)
    })
  }

  const server = createServer((socket) => {
    state.connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (state.mute) return
    serve(socket, false)
    socket.write('220 mail.test\r\n')
  })
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(state, {
    url: `smtp://127.0.0.1:${port}`,
    port,
    received,
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  })
}
