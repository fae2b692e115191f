/**
 * The contents an environment stores for a template: one for each delivery method, locale and variant. platform-api
 * 3.18; security catalogue rows W05, W06, W08.
 *
 * A text is text and `${name}`; there is nothing else in it that could be evaluated, so nothing has to be forbidden but
 * size, and line breaks where a header begins.
 */
import { z } from 'zod'
import type { BuiltIn, BuiltInEmail } from './contents/content.ts'
import { htmlOf } from './html-body.ts'
import type { DeliveryMethod } from './templates.ts'

/** Longest body of an e-mail, characters. */
const longestBody = 100_000

/** One line: neither a control character nor another line separator. */
const line = z.string().regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'must be one line')

/** A name and an address, as in a header. */
export const mailbox = z.object({
  name: line.max(128).optional(),
  address: z
    .string()
    .max(254)
    .regex(
      /^[^\s<>"(),:;@[\\\]\p{Cc}]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/u,
    ),
})
export type Mailbox = z.output<typeof mailbox>
/** One whose missing part comes from elsewhere. */
export type PartialMailbox = { readonly [K in keyof Mailbox]?: Mailbox[K] | undefined }

const common = {
  locale: z
    .string()
    .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/)
    .describe('A BCP 47 tag.'),
  variant: line
    .min(1)
    .max(100)
    .optional()
    .describe('Another text for the same template, method and locale, used where a policy names it.'),
}

export const emailContent = z.object({
  ...common,
  deliveryMethod: z.literal('Email'),
  subject: line.max(256).optional(),
  body: z.string().min(1).max(longestBody),
  from: mailbox.partial().optional(),
  replyTo: mailbox.partial().optional(),
  charset: z.literal('UTF-8').default('UTF-8'),
  emailContentType: z.enum(['text/html', 'text/plain']).default('text/html'),
})

export const smsContent = z.object({
  ...common,
  deliveryMethod: z.literal('SMS'),
  content: z.string().min(1).max(153),
  sender: z
    .string()
    .regex(/^[A-Za-z0-9 ]{1,11}$/)
    .optional(),
})

export const voiceContent = z.object({
  ...common,
  deliveryMethod: z.literal('Voice'),
  content: z.string().min(1).max(1000),
  voice: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,64}$/)
    .optional(),
})

export const pushContent = z.object({
  ...common,
  deliveryMethod: z.literal('Push'),
  title: line.min(1).max(200),
  body: z.string().min(1).max(400),
  pushCategory: z.enum(['BANNER_BUTTONS', 'WITHOUT_BANNER_BUTTONS', 'APPROVE_AND_OPEN_APP']).default('BANNER_BUTTONS'),
})

/** A content as clients write it. */
export const templateContent = z.discriminatedUnion('deliveryMethod', [
  emailContent,
  smsContent,
  voiceContent,
  pushContent,
])

/** A content that is stored or built in. */
export type TemplateContent = z.output<typeof templateContent>

/** A content of one delivery method. */
export type ContentFor<M extends DeliveryMethod> = Extract<TemplateContent, { deliveryMethod: M }>

/** A built-in content in the form of a stored one; undefined where nothing is built in for the method. */
export function contentFrom(
  builtIn: BuiltIn,
  deliveryMethod: DeliveryMethod,
  locale: string,
): TemplateContent | undefined {
  switch (deliveryMethod) {
    case 'Email':
      return builtIn.Email && emailFrom(builtIn.Email, locale)
    case 'SMS':
      return builtIn.SMS === undefined ? undefined : { deliveryMethod, locale, content: builtIn.SMS }
    case 'Voice':
      return builtIn.Voice === undefined ? undefined : { deliveryMethod, locale, content: builtIn.Voice }
    case 'Push':
      return builtIn.Push && { deliveryMethod, locale, ...builtIn.Push, pushCategory: 'BANNER_BUTTONS' }
  }
}

function emailFrom({ subject, paragraphs }: BuiltInEmail, locale: string): TemplateContent {
  return {
    deliveryMethod: 'Email',
    locale,
    subject,
    body: htmlOf(paragraphs, locale),
    charset: 'UTF-8',
    emailContentType: 'text/html',
  }
}
