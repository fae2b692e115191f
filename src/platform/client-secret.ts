/**
 * Secrets that clients of this server prove themselves with: how they are read, rotated and forgotten, whoever has them.
 * platform-api 3.8, security catalogue 4.3 and row N25. How they are made and kept is `environment/client-secret.ts`; whose
 * they are is said by `application-secret.ts` and `resource-secret.ts`.
 *
 * Never: a secret in any other answer, event or error; a read without its audit event.
 */
import { z } from 'zod'
import type { PermissionId } from '../access/permissions.ts'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp } from '../contract/validation.ts'
import { newSecret, type SecretStore, sealedSecret } from '../environment/client-secret.ts'
import type { ConfigurationChange } from '../environment/environments.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import type { EventAction } from '../events/catalog.ts'
import { open, seal } from '../keys/sealing.ts'
import { update } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import type { SecretRow } from '../storage/sql/client-secrets.ts'
import { nullMeansAbsent } from './absent-members.ts'

const minute = 60_000
const thirtyDays = 30 * 24 * 60 * minute

/** A kind of owner, as the management API speaks of it. */
export interface SecretOwner<P extends z.ZodObject> extends SecretStore {
  readonly path: string
  readonly params: P
  readonly tag: string
  readonly source: string
  /** In the words of the reference: `an application`. */
  readonly what: string
  readonly ids: { readonly read: string; readonly rotate: string; readonly forget: string }
  readonly permissions: { readonly read: PermissionId; readonly update: PermissionId }
  readonly events: { readonly read: EventAction; readonly rotated: EventAction; readonly forgotten: EventAction }
  readonly subject: 'APPLICATION' | 'RESOURCE'
  /** The owner's member of the path: `applications/{id}`. */
  readonly place: (id: string) => string
  readonly idOf: (params: z.output<P>) => string
  /** Throws where the actor may not, or where there is no such owner. */
  readonly requireControl: (context: Context, id: string) => Promise<unknown>
  /** What nodes have to forget. */
  readonly change: (id: string) => ConfigurationChange
}

const secretSchema = z.object({
  _links: linksSchema,
  environment: reference,
  secret: z.string().describe('The secret that is valid now.'),
  previous: z
    .object({ secret: z.string(), expiresAt: timestamp })
    .optional()
    .describe('The secret before it, while it is still valid.'),
})

const rotation = nullMeansAbsent(
  z.object({
    previous: z
      .object({ expiresAt: z.iso.datetime({ offset: true }).describe('1 minute to 30 days ahead.') })
      .optional()
      .describe('Keeps the present secret valid for a while.'),
  }),
)

function answer<P extends z.ZodObject>(owner: SecretOwner<P>, context: Context, id: string, row: SecretRow) {
  const { environment, now, site } = context
  const base = `${site.apiBase}/environments/${environment.id}`
  const self = `${base}/${owner.place(id)}`
  const reveal = (text: string, column: 'sealed' | 'previous_sealed') =>
    open(environment.dataKey, text, owner.context(environment.id, id, column)).toString('utf8')
  const { previous_sealed: before, previous_expires_at: expiresAt } = row
  return {
    _links: links({ self: `${self}/secret`, environment: base, [owner.subject.toLowerCase()]: self }),
    environment: { id: environment.id },
    secret: reveal(row.sealed, 'sealed'),
    ...(before !== null && expiresAt !== null && expiresAt > now
      ? { previous: { secret: reveal(before, 'previous_sealed'), expiresAt: iso(expiresAt) } }
      : {}),
  }
}

/** The columns of the predecessor; sealed anew, since a sealed text opens in its own column alone. */
function kept(
  store: SecretStore,
  { environment, kernel }: Context,
  id: string,
  present: SecretRow,
  until: number | null,
): Pick<SecretRow, 'previous_sealed' | 'previous_hash' | 'previous_expires_at'> {
  if (until === null) return { previous_sealed: null, previous_hash: null, previous_expires_at: null }
  const secret = open(environment.dataKey, present.sealed, store.context(environment.id, id))
  const target = store.context(environment.id, id, 'previous_sealed')
  return {
    previous_sealed: seal(environment.dataKey, secret, target, kernel.world),
    previous_hash: present.hash,
    previous_expires_at: until,
  }
}

function expiry(text: string, now: number): number {
  const at = Date.parse(text)
  if (at >= now + minute && at <= now + thirtyDays) return at
  throw invalidData('OUT_OF_RANGE', 'previous.expiresAt', 'must be 1 minute to 30 days ahead')
}

/** The operations on the secret of a kind of owner. */
export function secretOperations<P extends z.ZodObject>(owner: SecretOwner<P>): readonly Operation[] {
  const { path, params, tag, source, ids, permissions, events, what } = owner
  const common = { path, surface: 'management', tag, source, cors: 'none', params } as const
  const subjectOf = (id: string) => ({ type: owner.subject, id })
  const keyOf = (environmentId: string, id: string) => ({ environment_id: environmentId, [owner.owner]: id })

  const read = defineOperation({
    ...common,
    id: ids.read,
    method: 'GET',
    summary: `Read the secret of ${what}. Every read is recorded`,
    permission: { kind: 'role', permission: permissions.read },
    replies: { 200: secretSchema },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    event: events.read,
    async handle(input, context) {
      const { kernel, environment } = context
      const id = owner.idOf(input.params)
      await owner.requireControl(context, id)
      const row = await kernel.storage.commit({
        name: `read-${owner.subject.toLowerCase()}-secret`,
        run: function* () {
          const [secret] = yield* run(owner.read(environment.id, id))
          if (!secret) throw notFound()
          yield context.record({ subject: subjectOf(id) })
          return secret
        },
      })
      return { status: 200, body: answer(owner, context, id, row) }
    },
  })

  const rotate = defineOperation({
    ...common,
    id: ids.rotate,
    method: 'POST',
    summary: `Replace the secret of ${what}`,
    permission: { kind: 'role', permission: permissions.update },
    body: { kind: 'json', schema: rotation },
    replies: { 200: secretSchema },
    errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
    event: events.rotated,
    async handle(input, context) {
      const { kernel, environment, now } = context
      const { previous } = input.body
      const id = owner.idOf(input.params)
      const keptUntil = previous ? expiry(previous.expiresAt, now) : null
      await owner.requireControl(context, id)
      const fresh = sealedSecret(owner, environment, id, newSecret(kernel.world), kernel.world)
      const name = `rotate-${owner.subject.toLowerCase()}-secret`
      const row = await kernel.environments.configure(environment.id, name, now, function* (changes) {
        changes.push(owner.change(id))
        const [present] = yield* run(owner.read(environment.id, id))
        if (!present) throw notFound()
        const next = { ...fresh, ...kept(owner, context, id, present, keptUntil), created_at: now }
        yield* update(owner.table, keyOf(environment.id, id), next)
        yield context.record({ subject: subjectOf(id), detail: { previousKept: keptUntil !== null } })
        return next
      })
      return { status: 200, body: answer(owner, context, id, row) }
    },
  })

  const forget = defineOperation({
    ...common,
    id: ids.forget,
    method: 'DELETE',
    summary: `End the validity of the secret that ${what} had before the present one`,
    permission: { kind: 'role', permission: permissions.update },
    replies: { 204: null },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    event: events.forgotten,
    async handle(input, context) {
      const { kernel, environment, now } = context
      const id = owner.idOf(input.params)
      await owner.requireControl(context, id)
      const name = `forget-previous-${owner.subject.toLowerCase()}-secret`
      await kernel.environments.configure(environment.id, name, now, function* (changes) {
        changes.push(owner.change(id))
        const [present] = yield* run(owner.read(environment.id, id))
        if (!present || present.previous_expires_at === null || present.previous_expires_at <= now) throw notFound()
        const none = { previous_sealed: null, previous_hash: null, previous_expires_at: null }
        yield* update(owner.table, keyOf(environment.id, id), none)
        yield context.record({ subject: subjectOf(id) })
      })
      return { status: 204 }
    },
  })
  return [read, rotate, forget]
}
