/**
 * PingOne's PasswordPolicy (platform-api 3.6, authentication-api 7.7): the part that is configured. Member names, and
 * the four keys of `minCharacters` above all, are exactly those of the wire, since clients look them up by constant.
 * Id, environment, times and links belong to the resource, not here. An absent member is a requirement not made.
 */
import { z } from 'zod'

/** Days before the end of a password's life in which its owner is warned; a maximum age must leave room for them. */
export const EXPIRY_WARNING_DAYS = 21

/** The character classes of `minCharacters`, each named by its own characters. */
export const characterClasses = [
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  'abcdefghijklmnopqrstuvwxyz',
  '0123456789',
  '~!@#$%^&*()-_=+[]{}|;:,.<>/?',
] as const

const days = z.int().min(1).max(36_500)
const characterCount = z.int().min(1).max(255)
const classMinimum = z.int().min(0).max(32).optional()
const exactlyThree = z.object({ maxLength: z.literal(3) })
const twoOrThree = z.object({ maxLength: z.literal([2, 3]) })

/** Validates a policy as it is written. Unknown members are dropped; unknown character classes are refused. */
export const passwordPolicySchema = z
  .object({
    name: z.string().min(1).max(256),
    description: z.string().max(1024).optional(),
    default: z.boolean().optional(),
    excludesCommonlyUsed: z.boolean(),
    excludesProfileData: z.boolean(),
    notSimilarToCurrent: z.boolean(),
    length: z.object({ min: z.int().min(8).max(32).default(8), max: z.literal(255).default(255) }).optional(),
    minCharacters: z
      .strictObject({
        [characterClasses[0]]: classMinimum,
        [characterClasses[1]]: classMinimum,
        [characterClasses[2]]: classMinimum,
        [characterClasses[3]]: classMinimum,
      })
      .optional(),
    maxRepeatedCharacters: characterCount.optional(),
    minUniqueCharacters: characterCount.optional(),
    minComplexity: days.optional(),
    alphabetSequenceRule: twoOrThree.optional(),
    numberSequenceRule: twoOrThree.optional(),
    qwertySequenceRule: exactlyThree.optional(),
    shiftedNumberRowSequenceRule: exactlyThree.optional(),
    // Each remembered password costs one hash at every change, which bounds the count.
    history: z.object({ count: z.int().min(1).max(50), retentionDays: days }).optional(),
    lockout: z
      .object({ failureCount: z.int().min(1).max(100), durationSeconds: z.int().min(1).max(31_536_000) })
      .optional(),
    maxAgeDays: days.optional(),
    minAgeDays: days.optional(),
  })
  .refine(
    ({ maxAgeDays, minAgeDays = 0 }) => maxAgeDays === undefined || maxAgeDays > minAgeDays + EXPIRY_WARNING_DAYS,
    { path: ['maxAgeDays'], message: `must be greater than minAgeDays + ${EXPIRY_WARNING_DAYS}` },
  )

/** A valid password policy. */
export type PasswordPolicy = Readonly<z.output<typeof passwordPolicySchema>>

const oneOfEach = {
  [characterClasses[0]]: 1,
  [characterClasses[1]]: 1,
  [characterClasses[2]]: 1,
  [characterClasses[3]]: 1,
} as const
const lockout = { failureCount: 5, durationSeconds: 900 } as const
const ageing = { history: { count: 6, retentionDays: 365 }, maxAgeDays: 182, minAgeDays: 1 } as const

/** The three policies every new environment starts with. */
export const bootstrapPasswordPolicies: readonly PasswordPolicy[] = [
  {
    name: 'Standard',
    description: 'A standard policy that incorporates industry best practices',
    default: true,
    excludesCommonlyUsed: true,
    excludesProfileData: true,
    notSimilarToCurrent: true,
    length: { min: 8, max: 255 },
    minCharacters: oneOfEach,
    maxRepeatedCharacters: 2,
    minUniqueCharacters: 5,
    ...ageing,
    lockout,
  },
  {
    name: 'Basic',
    description: 'A relaxed standard policy to allow for maximum customer flexibility',
    default: false,
    excludesCommonlyUsed: true,
    excludesProfileData: false,
    notSimilarToCurrent: false,
    length: { min: 8, max: 255 },
    minCharacters: oneOfEach,
    lockout,
  },
  {
    name: 'Passphrase',
    description: 'A policy that encourages the use of passphrases',
    default: false,
    excludesCommonlyUsed: true,
    excludesProfileData: true,
    notSimilarToCurrent: true,
    minComplexity: 7,
    ...ageing,
    lockout,
  },
]
