/** Statements on `populations` beside those a snapshot is loaded with. */
import type { Statement } from '../port.ts'
import type { PopulationRow } from './environments.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'

/** A population and how many users it has. */
export interface CountedPopulationRow extends PopulationRow {
  readonly users: number
}

const populations = `SELECT p.*,
    (SELECT COUNT(*) FROM users u WHERE u.environment_id = p.environment_id AND u.population_id = p.id) AS users
  FROM populations p`

/** One population of an environment. */
export function populationById(environmentId: string, id: string): Statement<CountedPopulationRow> {
  return { text: `${populations} WHERE p.environment_id = $1 AND p.id = $2`, values: [environmentId, id] }
}

/** A page of the populations of an environment. */
export function populationsPage(
  environmentId: string,
  conditions: readonly Condition[],
  span: Span,
): Statement<CountedPopulationRow> {
  return pageOf(populations, 'p', [equal('p.environment_id', environmentId), ...conditions], span)
}

/** One row when a population has a user. */
export function anyUserOf(environmentId: string, populationId: string): Statement<{ readonly id: string }> {
  return {
    text: 'SELECT id FROM users WHERE environment_id = $1 AND population_id = $2 LIMIT 1',
    values: [environmentId, populationId],
  }
}

/** One row when an environment has a population. */
export function anyPopulation(environmentId: string): Statement<{ readonly id: string }> {
  return { text: 'SELECT id FROM populations WHERE environment_id = $1 LIMIT 1', values: [environmentId] }
}

/** The environment of an organization in which a population lives: a role may be scoped to one of another environment. */
export function environmentOfPopulation(
  organizationId: string,
  populationId: string,
): Statement<{ readonly environment_id: string }> {
  return {
    text: `SELECT p.environment_id FROM environments e JOIN populations p ON p.environment_id = e.id AND p.id = $2
           WHERE e.organization_id = $1 AND e.deleted_at IS NULL`,
    values: [organizationId, populationId],
  }
}
