/** A mail server that speaks SMTP (RFC 5321) as far as a client needs it, and does what a test wants with each message. */
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A message as it arrived. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Headers and body. */
  readonly content: string
}

/** A running mail server. */
export interface SmtpServer {
  readonly url: string
  readonly received: readonly ReceivedMail[]
  /** How many recipients were answered with something else than 250. */
  readonly refusals: number
  /** The answer to the next recipients; default: `250 OK`. */
  answer: string
  close(): Promise<void>
}

/** Starts a mail server on a free port. */
export async function startSmtpServer(): Promise<SmtpServer> {
  const received: ReceivedMail[] = []
  const sockets = new Set<Socket>()
  const state = { answer: '250 OK', refusals: 0 }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let from = ''
    let to: string[] = []
    let data: string[] | undefined
    let rest = ''
    const say = (line: string) => socket.write(`${line}\r\n`)
    const take = (line: string): void => {
      if (data) {
        if (line !== '.') {
          data.push(line.replace(/^\./, ''))
          return
        }
        received.push({ from, to, content: data.join('\n') })
        data = undefined
        say('250 OK')
        return
      }
      const [command = ''] = line.toUpperCase().split(' ')
      if (command === 'EHLO' || command === 'HELO') say('250 mail.test')
      else if (command === 'MAIL') {
        from = /<(.*?)>/.exec(line)?.[1] ?? ''
        to = []
        say('250 OK')
      } else if (command === 'RCPT') {
        say(state.answer)
        if (state.answer.startsWith('250')) to.push(/<(.*?)>/.exec(line)?.[1] ?? '')
        else state.refusals += 1
      } else if (command === 'DATA') {
        data = []
        say('354 go on')
      } else if (command === 'QUIT') {
        say('221 bye')
        socket.end()
      } else say('250 OK')
    }
    socket.on('data', (chunk) => {
      rest += chunk.toString('utf8')
      const lines = rest.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) take(line)
    })
    say('220 mail.test')
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    get refusals() {
      return state.refusals
    },
    get answer() {
      return state.answer
    },
    set answer(line) {
      state.answer = line
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
