/** How messages to users are made and sent: platform-api 3.18. */
import type { Migration } from '../migration.ts'

export const notifications: Migration = {
  number: 5,
  name: 'notifications',
  steps: [
    `CREATE TABLE IF NOT EXISTS template_contents (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, template TEXT NOT NULL, delivery_method TEXT NOT NULL,
      locale TEXT NOT NULL, variant TEXT NOT NULL, document TEXT NOT NULL, created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL, PRIMARY KEY (environment_id, id),
      UNIQUE (environment_id, template, delivery_method, locale, variant))`,
    `CREATE TABLE IF NOT EXISTS notifications_policies (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, is_default INTEGER NOT NULL,
      document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS notifications_settings (
      environment_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, sealed_secret TEXT,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (environment_id, kind))`,
    `CREATE TABLE IF NOT EXISTS phone_delivery_settings (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, sealed_secret TEXT NOT NULL,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (environment_id, id))`,
  ],
}
