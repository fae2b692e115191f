/** An application that has users prove a second factor, without a flow: authentication-api 6.4. */
import type { Person } from '../flow-runtime/arrange.ts'
import type { Stile } from '../harness/stile.ts'
import { vendor } from './people.ts'

/** What is done with stand-alone authentications of a node; by its own worker where no token is given. */
export function authenticationClient(stile: Stile) {
  const path = (id = '') => `/${stile.environmentId}/deviceAuthentications${id === '' ? '' : `/${id}`}`
  const send = async (at: string, call: Parameters<Stile['send']>[1]) =>
    stile.send(at, { token: await stile.workerToken(), ...call })
  return {
    path,
    start: (person: Pick<Person, 'id'>, more: object = {}, token?: string) =>
      send(path(), { body: { user: { id: person.id }, ...more }, ...(token ? { token } : {}) }),
    read: (id: string, token?: string) => send(path(id), token ? { token } : {}),
    act: (id: string, action: string, body: object, token?: string) =>
      send(path(id), { body, ...vendor(action), ...(token ? { token } : {}) }),
  }
}
