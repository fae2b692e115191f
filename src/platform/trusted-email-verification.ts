/**
 * Proving a trusted e-mail address: `trustedEmail.sendVerificationCode` and `trustedEmail.activate` on
 * `~/emailDomains/{id}/trustedEmails/{id}`. platform-api 1.13; PingOne: a code is good for 24 hours.
 *
 * Never: a code in an answer; a code that proves another address than that it was mailed to.
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { notify } from '../delivery/notification.ts'
import { codeTries, countSending, counterOf, type Meant } from '../directory/code-limits.ts'
import { newCode, storeCode, tryCode } from '../directory/one-time-codes.ts'
import { notFound, problem } from '../errors/problem.ts'
import { update } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { AlreadyConsumed } from '../storage/refusals.ts'
import type { TrustedEmailRow } from '../storage/sql/email-domains.ts'
import { codeWrong, tooManyCodes, tooManyTries, typedCode } from './password-refusals.ts'
import {
  oneTrustedEmail,
  storedTrustedEmail,
  trustedEmail,
  trustedEmailBody,
  trustedEmailPath,
} from './trusted-email-representation.ts'

/** How long a code is good, milliseconds. */
const lifetime = 86_400_000

const common = { surface: 'management', tag: 'Notifications', source: 'platform-api 1.13', cors: 'none' } as const

const sendTrustedEmailCode = defineOperation({
  ...common,
  id: 'sendTrustedEmailVerificationCode',
  method: 'POST',
  path: trustedEmailPath,
  summary: 'Mail another code to a trusted address; the one before is of no use any more',
  mediaTypes: [vendorMediaType('trustedEmail.sendVerificationCode')],
  permission: { kind: 'role', permission: 'notifications:update:settings' },
  params: oneTrustedEmail,
  body: { kind: 'json', schema: z.object({}) },
  replies: { 200: trustedEmail },
  errors: ['NOT_FOUND', 'REQUEST_FAILED', 'LIMITED'],
  event: 'TRUSTED_EMAIL.VERIFICATION_CODE_SENT',
  async handle({ params }, context) {
    const { kernel } = context
    const row = await storedTrustedEmail(context, params)
    if (row.status === 'ACTIVE') {
      const message = 'The address has been verified.'
      throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
    }
    await requireTrustedEmailSending(context, row.address_key)
    await kernel.storage.commit({
      name: 'send-trusted-email-code',
      *run() {
        yield* sendingOfTrustedEmailCode(context, row)
        yield context.record({ subject: { type: 'TRUSTED_EMAIL', id: row.id } })
      },
    })
    kernel.wakeOutbox()
    return { status: 200, body: trustedEmailBody(context, row) }
  },
})

const activateTrustedEmail = defineOperation({
  ...common,
  id: 'activateTrustedEmail',
  method: 'POST',
  path: trustedEmailPath,
  summary: 'Verify a trusted address with the code that was mailed to it',
  mediaTypes: [vendorMediaType('trustedEmail.activate')],
  permission: { kind: 'role', permission: 'notifications:update:settings' },
  params: oneTrustedEmail,
  body: { kind: 'json', schema: z.object({ verificationCode: typedCode }) },
  replies: { 200: trustedEmail },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'TRUSTED_EMAIL.ACTIVATED',
  async handle({ params, body: { verificationCode: typed } }, context) {
    const { kernel, environment, now } = context
    const { environmentId, trustedEmailId: id } = params
    const row = await storedTrustedEmail(context, params)
    const guessed = counterOf(kernel, 'verification-code', meant(context, row.address_key))
    const check = await tryCode(kernel, environment, { ...codeFor(row), typed, guessed, bound: codeTries, now })
    if (check.result === 'lockedOut') throw tooManyTries('verificationCode', check.secondsUntilUnlock)
    if (check.result === 'rejected') throw codeWrong('verificationCode')
    const columns = { status: 'ACTIVE', updated_at: now } as const
    const activated = kernel.environments.configure(environmentId, 'activateTrustedEmail', now, function* () {
      yield* check.settle()
      if (!(yield* update('trusted_emails', { environment_id: environmentId, id }, columns))) throw notFound()
      yield context.record({ subject: { type: 'TRUSTED_EMAIL', id } })
    })
    await activated.catch((error: unknown) => {
      throw error instanceof AlreadyConsumed ? codeWrong('verificationCode') : error
    })
    return { status: 200, body: trustedEmailBody(context, { ...row, ...columns }) }
  },
})

/** Counters name the address, so that removing and adding it gives no new tries; they are no user's. */
function meant({ environment }: Context, address: string): Meant {
  return { environmentId: environment.id, userId: null, identifier: `trusted-email ${address}` }
}

/** Counts a code that is about to be sent. @throws Problem LIMITED */
export async function requireTrustedEmailSending(context: Context, address: string): Promise<void> {
  const wait = await countSending(context.kernel, meant(context, address), context.now)
  if (wait !== undefined) throw tooManyCodes(wait)
}

function codeFor({ id, address_key }: TrustedEmailRow) {
  return { purpose: 'TRUSTED_EMAIL_VERIFICATION', subject: `${id}/${address_key}` } as const
}

/** Makes a code and promises to mail it; for the unit of whatever makes it necessary. */
export function* sendingOfTrustedEmailCode(
  { kernel: { world }, environment, now }: Context,
  row: TrustedEmailRow,
): UnitBody<void> {
  const code = newCode(world, { kind: 'letters-and-digits', length: 8 })
  yield storeCode(environment, codeFor(row), code, lifetime, now)
  yield notify(
    world,
    environment,
    {
      template: 'email_phone_verification',
      to: row.email_address,
      userId: null,
      locales: [],
      variables: {
        code,
        'user.email': row.email_address,
        'user.username': row.email_address,
        'user.name': row.email_address,
      },
      usefulUntil: now + lifetime,
    },
    now,
  )
}

export const trustedEmailVerificationOperations: readonly Operation[] = [sendTrustedEmailCode, activateTrustedEmail]
