/**
 * One request over real HTTP, as `fetch` sends it and at a third of its cost in time: tests send tens of thousands.
 * Never: a redirect that is followed.
 */
import { Agent, request as httpRequest } from 'node:http'

/** Connections are used again, as a browser and `fetch` do; the server closes those that are idle when it ends. */
const agent = new Agent({ keepAlive: true })

/** What `fetch` says of itself where it is told nothing else. */
const ownHeaders = { accept: '*/*', 'accept-language': '*', 'sec-fetch-mode': 'cors', 'user-agent': 'node' } as const

/** What came back, to the last byte. */
export interface Response {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/**
 * Sends it.
 * @param headers names in lower case
 * @throws Error of the connection
 */
export function request(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const sent = httpRequest(
    new URL(url),
    { method, agent, headers: { ...ownHeaders, ...headers, ...length } },
    (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const received = new Headers()
        for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
          received.append(answer.rawHeaders[at] ?? '', answer.rawHeaders[at + 1] ?? '')
        }
        resolve({ status: answer.statusCode ?? 0, headers: received, text: Buffer.concat(chunks).toString('utf8') })
      })
    },
  )
  sent.on('error', reject)
  sent.end(body)
  return promise
}
