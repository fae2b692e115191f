/**
 * Providers of one's own, described as HTTP requests with `${to}`, `${from}`, `${message}` in them: platform-api 3.18.
 * Each value is written the way its place is read: percent-encoded in the address and in forms, as JSON text in JSON, as
 * text in XML. Rows G16, W05, W08.
 *
 * Never: a value in the host of the address; a header that changes where or how a request is sent.
 */
import type { BlockList } from 'node:net'
import { z } from 'zod'
import type { OutboundRequest } from '../external/egress.ts'
import { outboundUrlProblem } from '../external/outbound-url.ts'
import { headerName, isOwnHeader } from './custom-authentication.ts'
import { escapeMarkup } from './rules/html-body.ts'

const headers = z
  .record(
    headerName,
    z
      .string()
      .max(1024)
      .regex(/^[\x20-\x7e]*$/),
  )
  .refine((all) => Object.keys(all).length <= 20, 'must not hold more than 20 headers')
  .refine(
    (all) => !Object.keys(all).some((name) => /^authorization$/i.test(name) || isOwnHeader(name)),
    'must not hold a header that the server writes itself',
  )

/** What a request of any provider says; `deliveryMethod` is added by each kind. */
export const customRequest = {
  method: z.enum(['GET', 'POST']),
  url: z.string().min(1).max(2048),
  headers: headers.optional(),
  body: z.string().max(16_384).optional(),
}

/** A request as it is stored. */
export interface CustomRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
}

const placeholder = /\$\{([A-Za-z_][\w.]{0,63})\}/g

/** What is wrong with a request; undefined when nothing is. The member and a sentence. */
export function customRequestProblem(
  { method, url, headers: sent, body }: CustomRequest,
  listed: BlockList | undefined,
): { readonly member: 'url' | 'body'; readonly message: string } | undefined {
  if (!/^https?:\/\/[^/?#$]+(?:[/?#]|$)/i.test(url)) {
    return { member: 'url', message: 'must be an address whose host holds no variable' }
  }
  const wrong = outboundUrlProblem(url.replaceAll(placeholder, 'x'), listed)
  if (wrong !== undefined) return { member: 'url', message: wrong }
  const carrier = method === 'GET' ? url : (body ?? '')
  const member = method === 'GET' ? 'url' : 'body'
  for (const name of ['to', 'message']) {
    if (!carrier.includes(`\${${name}}`)) return { member, message: `must hold \${${name}}` }
  }
  if (method === 'GET' && body !== undefined) return { member: 'body', message: 'must not be there with GET' }
  if (method === 'POST' && bodyKind(sent) === 'json' && !isJson((body ?? '').replaceAll(placeholder, 'x'))) {
    return { member: 'body', message: 'must be JSON, with every variable inside a string' }
  }
  return undefined
}

/**
 * The request that sends one message, without what authenticates it.
 * @param id names the message, so that the provider can tell a second attempt
 */
export function fillRequest(
  { method, url, headers: sent = {}, body }: CustomRequest,
  id: string,
  values: Readonly<Record<string, string>>,
): OutboundRequest {
  const fill = (text: string, write: (value: string) => string) =>
    text.replaceAll(placeholder, (_, name: string) => (Object.hasOwn(values, name) ? write(values[name] ?? '') : ''))
  return {
    method,
    url: fill(url, (value) => encodeURIComponent(value.replaceAll(/\p{Cc}+/gu, ' '))),
    headers: {
      ...(method === 'POST' && !hasContentType(sent) ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...sent,
      'idempotency-key': id,
    },
    ...(method === 'POST' ? { body: fill(body ?? '', writers[bodyKind(sent)]) } : {}),
    maximumBytes: 64 * 1024,
  }
}

type BodyKind = 'json' | 'form' | 'xml' | 'text'

const writers: Readonly<Record<BodyKind, (value: string) => string>> = {
  json: (value) => JSON.stringify(value).slice(1, -1),
  form: encodeURIComponent,
  xml: escapeMarkup,
  text: (value) => value,
}

function contentTypeOf(sent: Readonly<Record<string, string>> = {}): string | undefined {
  return Object.entries(sent).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
}

function hasContentType(sent: Readonly<Record<string, string>>): boolean {
  return contentTypeOf(sent) !== undefined
}

function bodyKind(sent: Readonly<Record<string, string>> | undefined): BodyKind {
  const type = contentTypeOf(sent)?.toLowerCase()
  if (type === undefined || type.startsWith('application/x-www-form-urlencoded')) return 'form'
  if (/^application\/(?:[^;]+\+)?json/.test(type)) return 'json'
  return /[/+]xml/.test(type) ? 'xml' : 'text'
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
