/** The shape of built-in contents: what one template says in one language, by delivery method. */
import type { TemplateName } from '../templates.ts'

/** A built-in e-mail: paragraphs separated by empty lines, not markup. */
export interface BuiltInEmail {
  readonly subject: string
  readonly paragraphs: string
}

/** What one template says, by delivery method. */
export interface BuiltIn {
  readonly Email?: BuiltInEmail
  /** At most 153 characters. */
  readonly SMS?: string
  /** May hold `<sayCharValue>` and `<pause1sec>`, as contents for voice do. */
  readonly Voice?: string
  readonly Push?: { readonly title: string; readonly body: string }
}

/** The contents of one language. */
export type BuiltInContents = Readonly<Partial<Record<TemplateName, BuiltIn>>>
