/**
 * The population that people are registered in: `registration.population` of sign-on policy actions and of identity
 * providers. platform-api 3.12.2, 3.13. What names one is written, and one is deleted, by units that change the
 * configuration of the environment, which come one after the other: neither is done past the other.
 *
 * Never: a registration that leads to a population that is gone; whoever wants an account would be the first to find out.
 */
import { populationOfProvider } from '../environment/identity-provider.ts'
import { invalidData } from '../errors/problem.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { signOnPoliciesOf } from '../storage/sql/environments.ts'
import { identityProvidersOf } from '../storage/sql/identity-providers.ts'
import { populationById } from '../storage/sql/populations.ts'
import { actionsOf, populationOf } from './sign-on-policy-version.ts'

/** For the unit that writes what names a population; undefined: it names none. @throws Problem INVALID_DATA */
export function* requirePopulation(environmentId: string, id: string | undefined): UnitBody<void> {
  if (id === undefined || (yield* run(populationById(environmentId, id))).length > 0) return
  throw invalidData('INVALID_VALUE', 'registration.population.id', 'is not a population of the environment')
}

/** For the unit that deletes a population: what registers people in it, in words; undefined where nothing does. */
export function* registersIn(environmentId: string, id: string): UnitBody<string | undefined> {
  const policies = yield* run(signOnPoliciesOf(environmentId))
  if (policies.flatMap(actionsOf).some((action) => populationOf(action) === id)) return 'a sign-on policy'
  const providers = yield* run(identityProvidersOf(environmentId))
  return providers.some(({ document }) => populationOfProvider(document) === id) ? 'an identity provider' : undefined
}
