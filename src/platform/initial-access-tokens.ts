/**
 * Initial access tokens: `~/initialAccessTokens` (extension; RFC 7591 sections 1.2 and 3). Each lets a number of clients
 * register themselves until a time. A token is shown once, when it is made; only its hash is kept.
 *
 * Never: a token read again, or told of in a list, an event or an error.
 */
import { hash } from 'node:crypto'
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { insert, remove } from '../storage/operations.ts'
import {
  type InitialAccessTokenRow,
  initialAccessTokenById,
  initialAccessTokensPage,
} from '../storage/sql/client-registration.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { description } from './names.ts'
import { answerPage, pageQuery } from './page.ts'

const minute = 60_000
const day = 24 * 60 * minute

const tokenRequest = nullMeansAbsent(
  z.object({
    description: description.optional(),
    maximumUses: z.int().min(1).max(100_000).default(1).describe('How many clients it lets in.'),
    expiresAt: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('1 minute to 365 days ahead. Default: in 24 hours.'),
  }),
)

const initialAccessToken = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  description: z.string().optional(),
  maximumUses: z.int(),
  uses: z.int().describe('How many clients it has let in.'),
  createdAt: timestamp,
  expiresAt: timestamp,
})

function tokenBody({ site, environment }: Context, row: InitialAccessTokenRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  return {
    _links: links({ self: `${environmentUrl}/initialAccessTokens/${row.id}`, environment: environmentUrl }),
    id: row.id,
    environment: { id: environment.id },
    ...(row.description === null ? {} : { description: row.description }),
    maximumUses: row.maximum_uses,
    uses: row.uses,
    createdAt: iso(row.created_at),
    expiresAt: iso(row.expires_at),
  }
}

function expiryOf(text: string | undefined, now: number): number {
  if (text === undefined) return now + day
  const at = Date.parse(text)
  if (at >= now + minute && at <= now + 365 * day) return at
  throw invalidData('OUT_OF_RANGE', 'expiresAt', 'must be 1 minute to 365 days ahead')
}

const collectionPath = '/v1/environments/{environmentId}/initialAccessTokens'
const inEnvironment = z.object({ environmentId: uuid })
const one = { path: `${collectionPath}/{tokenId}`, params: inEnvironment.extend({ tokenId: uuid }) } as const
const common = {
  surface: 'management',
  tag: 'Client registration',
  source: 'RFC 7591 sections 1.2 and 3',
  extension: true,
  cors: 'none',
} as const

export const initialAccessTokenOperations: readonly Operation[] = [
  defineOperation({
    ...common,
    id: 'listInitialAccessTokens',
    method: 'GET',
    path: collectionPath,
    summary: 'List the initial access tokens that have not expired',
    permission: { kind: 'role', permission: 'applications:read:application' },
    params: inEnvironment,
    query: pageQuery.omit({ filter: true }),
    replies: { 200: collectionSchema('initialAccessTokens', initialAccessToken) },
    errors: ['FORBIDDEN', 'INVALID_DATA'],
    handle: ({ query }, context) =>
      answerPage(context, query, {
        key: 'initialAccessTokens',
        statement: (span) => initialAccessTokensPage(context.environment.id, context.now, span),
        write: (row) => tokenBody(context, row),
      }),
  }),
  defineOperation({
    ...common,
    ...one,
    id: 'readInitialAccessToken',
    method: 'GET',
    summary: 'Read how often an initial access token was used',
    permission: { kind: 'role', permission: 'applications:read:application' },
    replies: { 200: initialAccessToken },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    async handle({ params }, context) {
      const { kernel, environment, now } = context
      const [row] = await kernel.storage.read(initialAccessTokenById(environment.id, params.tokenId, now))
      if (!row) throw notFound()
      return { status: 200, body: tokenBody(context, row) }
    },
  }),
  defineOperation({
    ...common,
    id: 'createInitialAccessToken',
    method: 'POST',
    path: collectionPath,
    summary: 'Make an initial access token; it is shown this once',
    permission: { kind: 'role', permission: 'applications:create:application' },
    params: inEnvironment,
    body: { kind: 'json', schema: tokenRequest },
    replies: { 201: initialAccessToken.extend({ token: z.string() }) },
    errors: ['FORBIDDEN', 'INVALID_DATA'],
    event: 'INITIAL_ACCESS_TOKEN.CREATED',
    async handle({ body }, context) {
      const { kernel, environment, now } = context
      const token = kernel.world.bytes(32).toString('base64url')
      const row: InitialAccessTokenRow = {
        id: kernel.world.uuid(),
        description: body.description ?? null,
        maximum_uses: body.maximumUses,
        uses: 0,
        created_at: now,
        expires_at: expiryOf(body.expiresAt, now),
      }
      await kernel.storage.commit({
        name: 'create-initial-access-token',
        *run() {
          const token_hash = hash('sha256', token, 'base64url')
          yield* insert('initial_access_tokens', { environment_id: environment.id, ...row, token_hash })
          const detail = { maximumUses: row.maximum_uses }
          yield context.record({ subject: { type: 'INITIAL_ACCESS_TOKEN', id: row.id }, detail })
        },
      })
      const answer = tokenBody(context, row)
      return {
        status: 201,
        body: { ...answer, token },
        headers: { location: answer._links['self']?.href ?? '' },
      }
    },
  }),
  defineOperation({
    ...common,
    ...one,
    id: 'deleteInitialAccessToken',
    method: 'DELETE',
    summary: 'Delete an initial access token; the clients that it let in stay',
    permission: { kind: 'role', permission: 'applications:delete:application' },
    replies: { 204: null },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    event: 'INITIAL_ACCESS_TOKEN.DELETED',
    async handle({ params: { tokenId: id } }, context) {
      const { kernel, environment } = context
      await kernel.storage.commit({
        name: 'delete-initial-access-token',
        *run() {
          if ((yield* remove('initial_access_tokens', { environment_id: environment.id, id })) === 0) throw notFound()
          yield context.record({ subject: { type: 'INITIAL_ACCESS_TOKEN', id } })
        },
      })
      return { status: 204 }
    },
  }),
]
