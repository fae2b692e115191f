/**
 * A TCP proxy in front of PostgreSQL that cuts the connection at a chosen word: before the server gets it, or after,
 * so that the server acts on it and the client never hears.
 */
import { connect, createServer, type Socket } from 'node:net'

/** Where a connection is cut. */
export interface Cut {
  /** Text of a message of the client, such as COMMIT. */
  readonly at: string
  /** Whether the server still gets that message. */
  readonly delivered: boolean
}

/** A running proxy. */
export interface CuttingProxy {
  /** The server's URL, through the proxy. */
  readonly url: string
  /** Cuts connections from now on at `cut`, this many times. */
  arm(cut: Cut, times: number): void
  /** How many connections were cut. */
  cuts(): number
  /** Ends it with all its connections. */
  close(): Promise<void>
}

/** Starts a proxy to the server of `target`. */
export async function startProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let armed: { readonly cut: Cut; times: number } | undefined
  let cuts = 0
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    let deaf = false
    client.on('data', (data) => {
      if (armed && armed.times > 0 && data.includes(armed.cut.at)) {
        armed.times -= 1
        cuts += 1
        deaf = true
        if (armed.cut.delivered) upstream.write(data, () => setTimeout(() => client.destroy(), 20))
        else client.destroy()
        setTimeout(() => upstream.destroy(), 100)
      } else upstream.write(data)
    })
    upstream.on('data', (data) => deaf || client.write(data))
    client.on('close', () => deaf || upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('The proxy has no port')
  const url = new URL(target)
  url.port = String(address.port)
  return {
    url: url.href,
    arm: (cut, times) => (armed = { cut, times }),
    cuts: () => cuts,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
