/** Groups, groups nested in groups, their members, and the applications whose access control names them. */
import type { Migration } from '../migration.ts'

export const groups: Migration = {
  number: 10,
  name: 'groups',
  steps: [
    `CREATE TABLE IF NOT EXISTS groups (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, population_id TEXT NOT NULL, name TEXT NOT NULL, external_id TEXT,
      user_filter TEXT, document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, population_id, name))`,
    `CREATE INDEX IF NOT EXISTS groups_page ON groups (environment_id, created_at, id)`,
    `CREATE INDEX IF NOT EXISTS groups_name ON groups (environment_id, name)`,
    `CREATE INDEX IF NOT EXISTS groups_external_id ON groups (environment_id, external_id)`,
    `CREATE INDEX IF NOT EXISTS groups_user_filter ON groups (environment_id) WHERE user_filter IS NOT NULL`,
    `CREATE TABLE IF NOT EXISTS group_nestings (
      environment_id TEXT NOT NULL, group_id TEXT NOT NULL, parent_id TEXT NOT NULL, created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, group_id, parent_id))`,
    `CREATE INDEX IF NOT EXISTS group_nestings_parent ON group_nestings (environment_id, parent_id, group_id)`,
    `CREATE TABLE IF NOT EXISTS group_memberships (
      environment_id TEXT NOT NULL, user_id TEXT NOT NULL, group_id TEXT NOT NULL, created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, user_id, group_id))`,
    `CREATE INDEX IF NOT EXISTS group_memberships_group ON group_memberships (environment_id, group_id, user_id)`,
    `CREATE TABLE IF NOT EXISTS application_groups (
      environment_id TEXT NOT NULL, application_id TEXT NOT NULL, group_id TEXT NOT NULL,
      PRIMARY KEY (environment_id, application_id, group_id))`,
    `CREATE INDEX IF NOT EXISTS application_groups_group ON application_groups (environment_id, group_id)`,
  ],
}
