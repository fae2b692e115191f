/**
 * `mobile` of a native application: the names of its app, as Apple, Google and Huawei know it. platform-api 3.7.
 *
 * Never: a name changed once it is set; a protection that is asked for and does not exist.
 */
import { z } from 'zod'
import type { ApplicationDocument } from '../environment/application.ts'
import { type Detail, invalidData } from '../errors/problem.ts'
import { absent } from './later-features.ts'

const appName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[A-Za-z0-9._-]+$/)

const names = {
  bundleId: appName.optional().describe('Apple: the topic of its push messages.'),
  packageName: appName.optional(),
  huaweiAppId: appName.optional(),
  huaweiPackageName: appName.optional(),
}

/** What a client sends. */
export const mobileRequest = z
  .object({
    ...names,
    passcodeRefreshDuration: z
      .object({ duration: z.literal(30), timeUnit: z.literal('SECONDS') })
      .optional()
      .describe('Passcodes of an app change every 30 seconds.'),
    push: z
      .object({ numberMatching: z.object({ type: z.literal('ENTER_MANUALLY') }).optional() })
      .optional()
      .describe('The number is always typed.'),
    integrityDetection: z.object({ mode: z.literal('DISABLED') }).optional(),
    passcodeGracePeriod: absent,
    uriPrefix: absent,
  })
  .optional()

/** What a client is answered. */
export const mobileMember = z.object(names).optional()

const fixed = Object.keys(names) as (keyof typeof names)[]

/** The names to keep; undefined where there are none. */
export function mobileOf(request: z.output<typeof mobileRequest>): ApplicationDocument['mobile'] {
  const kept = fixed.flatMap((name) => (request?.[name] === undefined ? [] : [[name, request[name]] as const]))
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** What is wrong with the member of an application of this type. */
export function mobileProblems(type: string, mobile: ApplicationDocument['mobile']): readonly Detail[] {
  if (!mobile || type === 'NATIVE_APP') return []
  return [{ code: 'INVALID_VALUE', target: 'mobile', message: 'needs the type NATIVE_APP' }]
}

/** @throws Problem INVALID_DATA for a name that would be changed */
export function requireSameApp(before: ApplicationDocument['mobile'], after: ApplicationDocument['mobile']): void {
  const changed = fixed.find((name) => before?.[name] !== undefined && before[name] !== after?.[name])
  if (changed) throw invalidData('INVALID_VALUE', `mobile.${changed}`, 'cannot be changed')
}
