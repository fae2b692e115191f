/** Statements on how messages are made and sent: contents of templates, policies, settings and providers. */
import type { Statement } from '../port.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'

/** A row of `template_contents`: what an environment says in the place of a built-in text. */
export interface TemplateContentRow {
  readonly id: string
  readonly template: string
  readonly delivery_method: string
  readonly locale: string
  /** Empty: none. */
  readonly variant: string
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

/** The contents of one template, for every delivery method, locale and variant. */
export function templateContentsOf(environmentId: string, template: string): Statement<TemplateContentRow> {
  return {
    text: `SELECT * FROM template_contents WHERE environment_id = $1 AND template = $2
           ORDER BY delivery_method, locale, variant`,
    values: [environmentId, template],
  }
}

/** A row of `notifications_policies`. */
export interface NotificationsPolicyRow {
  readonly id: string
  readonly name: string
  readonly is_default: number
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

/** One policy. */
export function notificationsPolicyById(environmentId: string, id: string): Statement<NotificationsPolicyRow> {
  return {
    text: 'SELECT * FROM notifications_policies WHERE environment_id = $1 AND id = $2',
    values: [environmentId, id],
  }
}

/** The policy with this id, if there is one, before the default one. */
export function policyOrDefault(environmentId: string, id: string): Statement<NotificationsPolicyRow> {
  return {
    text: `SELECT * FROM notifications_policies WHERE environment_id = $1 AND (id = $2 OR is_default = 1)
           ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END`,
    values: [environmentId, id],
  }
}

/** A page of policies. */
export function notificationsPoliciesPage(
  environmentId: string,
  filter: readonly Condition[],
  span: Span,
): Statement<NotificationsPolicyRow> {
  return pageOf(
    'SELECT n.* FROM notifications_policies n',
    'n',
    [equal('n.environment_id', environmentId), ...filter],
    span,
  )
}

/** Which of the two settings that an environment has once. */
export type NotificationsSettingsKind = 'general' | 'email'

/** A row of `notifications_settings`. */
export interface NotificationsSettingsRow {
  readonly kind: NotificationsSettingsKind
  readonly id: string
  readonly document: string
  readonly sealed_secret: string | null
  readonly created_at: number
  readonly updated_at: number
}

/** Both settings, as far as they were set. */
export function notificationsSettingsOf(environmentId: string): Statement<NotificationsSettingsRow> {
  return { text: 'SELECT * FROM notifications_settings WHERE environment_id = $1', values: [environmentId] }
}

/** Sets one of the settings, whether it was set before or not. */
export function putNotificationsSettings(
  environmentId: string,
  row: Omit<NotificationsSettingsRow, 'created_at'>,
): Statement<NotificationsSettingsRow> {
  return {
    text: `INSERT INTO notifications_settings (environment_id, kind, id, document, sealed_secret, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (environment_id, kind) DO UPDATE SET
             document = $4, sealed_secret = $5, updated_at = $6 RETURNING *`,
    values: [environmentId, row.kind, row.id, row.document, row.sealed_secret, row.updated_at],
  }
}

/** A row of `phone_delivery_settings`. */
export interface PhoneDeliverySettingsRow {
  readonly id: string
  readonly document: string
  readonly sealed_secret: string
  readonly created_at: number
  readonly updated_at: number
}

/** The providers of SMS and voice, the oldest first. */
export function phoneDeliverySettingsOf(environmentId: string): Statement<PhoneDeliverySettingsRow> {
  return {
    text: 'SELECT * FROM phone_delivery_settings WHERE environment_id = $1 ORDER BY created_at, id',
    values: [environmentId],
  }
}

/** One provider of SMS and voice. */
export function phoneDeliverySettingsById(environmentId: string, id: string): Statement<PhoneDeliverySettingsRow> {
  return {
    text: 'SELECT * FROM phone_delivery_settings WHERE environment_id = $1 AND id = $2',
    values: [environmentId, id],
  }
}
