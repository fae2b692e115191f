/**
 * One keep-alive HTTP/1.1 connection of the load generator. It does what a generator needs and nothing else, so that it
 * costs a fraction of what the measured servers do: one request in flight, header fields searched only when asked for.
 * Never: a general HTTP client; it understands the answers that the measured servers give.
 */
import { connect, type Socket } from 'node:net'

/** An answer; its header fields stay text. */
export interface Answer {
  readonly status: number
  /** Status line and header fields, without the empty line. */
  readonly head: string
  readonly body: string
}

const headEnd = Buffer.from('\r\n\r\n')

/** The value of a header field, or undefined. */
export function header(answer: Answer, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(answer.head)?.[1]?.trimEnd()
}

/** A body in chunks, joined; undefined while the last chunk is missing. */
function joinChunks(data: Buffer, start: number): Buffer | undefined {
  const parts: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = data.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(data.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (data.length < next) return undefined
    if (size === 0) return Buffer.concat(parts)
    parts.push(data.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}

/** The answer at the beginning of `data`, or undefined while it is incomplete. */
function parse(data: Buffer): Answer | undefined {
  const end = data.indexOf(headEnd)
  if (end < 0) return undefined
  const head = data.toString('latin1', 0, end)
  const status = Number(head.slice(9, 12))
  const length = /^content-length: *(\d+)/im.exec(head)?.[1]
  if (length === undefined && /^transfer-encoding: *chunked/im.test(head)) {
    const body = joinChunks(data, end + 4)
    return body && { status, head, body: body.toString() }
  }
  const bodyEnd = end + 4 + Number(length ?? 0)
  return data.length < bodyEnd ? undefined : { status, head, body: data.toString('utf8', end + 4, bodyEnd) }
}

/** A connection that opens itself again when the server has closed it between two requests. */
export class Connection {
  readonly #hostname: string
  readonly #port: number
  #socket: Socket | undefined
  #received: Buffer = Buffer.alloc(0)
  #waiting: PromiseWithResolvers<Answer> | undefined

  /** @param origin scheme (http only), host and port of the server */
  constructor(origin: string) {
    const { hostname, port } = new URL(origin)
    this.#hostname = hostname.replace(/^\[(.*)\]$/, '$1')
    this.#port = Number(port)
  }

  /** Sends one whole request as text and resolves with its answer; rejects when the connection is lost meanwhile. */
  send(request: string): Promise<Answer> {
    this.#socket ??= this.#open()
    this.#waiting = Promise.withResolvers()
    this.#socket.write(request)
    return this.#waiting.promise
  }

  close(): void {
    this.#socket?.destroy()
  }

  #open(): Socket {
    const socket = connect({ host: this.#hostname, port: this.#port, noDelay: true })
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#lose(error))
    socket.on('close', () => this.#lose(new Error('The server closed the connection')))
    return socket
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const answer = parse(this.#received)
    if (!answer) return
    this.#received = Buffer.alloc(0)
    this.#waiting?.resolve(answer)
    this.#waiting = undefined
  }

  #lose(error: Error): void {
    this.#socket = undefined
    this.#received = Buffer.alloc(0)
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
