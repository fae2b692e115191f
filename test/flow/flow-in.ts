/** Flows of one LOGIN action, driven into each status there is. */
import assert from 'node:assert/strict'
import type { FlowState } from '../../src/flow/state.ts'
import { loginPolicy, Rig } from './rig.ts'

/** A flow of one LOGIN action in this status. */
export function flowIn(status: FlowState['status']): Rig {
  const rig = new Rig()
  const { alice: person } = rig.people
  switch (status) {
    case 'USERNAME_PASSWORD_REQUIRED':
      rig.begin(loginPolicy([null]))
      break
    case 'PASSWORD_REQUIRED':
      rig.signIn('alice', { at: 10, pwd: 10 })
      rig.begin(loginPolicy([null]))
      break
    case 'MUST_CHANGE_PASSWORD':
    case 'PASSWORD_EXPIRED':
      person.facts = { ...person.facts, password: status }
      rig.begin(loginPolicy([null]))
      rig.signOn('alice')
      break
    case 'COMPLETED':
      rig.begin(loginPolicy([null]))
      rig.signOn('alice')
      break
    case 'FAILED':
      rig.begin(loginPolicy([null]))
      rig.current.clear()
      rig.signOn('alice')
      break
  }
  assert.equal(rig.state?.status, status)
  return rig
}
