/** Bytes as they are on a connection, for what no HTTP client would send. */
import { connect, type Socket } from 'node:net'

/** One answer of a connection, as far as tests look at it. */
export interface WireAnswer {
  readonly status: number
  readonly head: string
}

/** What came back on a connection. */
export interface Conversation {
  readonly answers: readonly WireAnswer[]
  /** Whether the server closed it; otherwise it was still open when the patience ended. */
  readonly closed: boolean
  readonly text: string
}

/** How long the first word may take, on a busy machine too, milliseconds; few conversations are without one. */
const firstWord = 1_000

/**
 * Sends bytes on a connection of their own and listens until the server closes it, or says nothing for a while.
 * @param patience how long to wait for another word, milliseconds
 */
export function converse(port: number, bytes: string | Buffer, patience = 150): Promise<Conversation> {
  return new Promise((resolve) => {
    let text = ''
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const end = (closed: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      const answers = [...text.matchAll(/HTTP\/1\.[01] (\d{3}) [^\n]*\r\n([\s\S]*?)\r\n\r\n/g)]
      resolve({
        text,
        closed,
        answers: answers.map(([, status, head]) => ({ status: Number(status), head: head ?? '' })),
      })
    }
    let timer = setTimeout(() => end(false), Math.max(patience, firstWord))
    socket.on('data', (data) => {
      text += data.toString('latin1')
      clearTimeout(timer)
      timer = setTimeout(() => end(false), patience)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => end(true))
  })
}

/** The head of a request, its lines ended as they should be. */
export function head(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`
}
