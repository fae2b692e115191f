/**
 * The floor: the thinnest token endpoint that still does the work. Bare `node:http`, client_secret_basic, a form body,
 * one signed JWT. It has no store, no limits and no other grant, so no real server can be faster on this runtime; how
 * close one comes says what its structure costs.
 */
import { createHash, generateKeyPairSync, randomUUID, sign, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Algorithm } from './scenarios.ts'
import { jwsFromDer } from '../src/keys/ecdsa-signature.ts'

const algorithm: Algorithm = process.argv[2] === 'RS256' ? 'RS256' : 'ES256'
const { privateKey } =
  algorithm === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })

const client = { clientId: randomUUID(), clientSecret: randomUUID() }
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
const secretDigest = digest(client.clientSecret)
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const protectedHeader = encode({ alg: algorithm, typ: 'at+jwt', kid: 'floor' })

function accessToken(issuer: string, clientId: string): string {
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: issuer,
    sub: clientId,
    aud: issuer,
    client_id: clientId,
    iat,
    exp: iat + 3600,
    jti: randomUUID(),
  }
  const input = `${protectedHeader}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), privateKey)
  return `${input}.${(algorithm === 'ES256' ? jwsFromDer(signature, 32) : signature).toString('base64url')}`
}

function authenticate(request: IncomingMessage): string | undefined {
  const encoded = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':')
  const isClient = id === client.clientId && timingSafeEqual(digest(decodeURIComponent(secret)), secretDigest)
  return isClient ? id : undefined
}

function answer(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  })
  response.end(body)
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    const clientId = authenticate(request)
    if (!clientId) return answer(response, 401, { error: 'invalid_client' })
    if (form.get('grant_type') !== 'client_credentials')
      return answer(response, 400, { error: 'unsupported_grant_type' })
    answer(response, 200, { access_token: accessToken(origin(), clientId), token_type: 'Bearer', expires_in: 3600 })
  })
})

const origin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ origin: origin(), tokenPath: '/token', confidential: client }))
})
