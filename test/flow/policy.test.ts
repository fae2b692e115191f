import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { z } from 'zod'
import { actions } from '../../src/flow/actions/index.ts'
import { compilePolicy, policyActionSchema, validatePolicy } from '../../src/flow/policy.ts'

const login = { type: 'LOGIN', priority: 1 }
const pwdOlder = { secondsSince: '${session.lastSignOn.withAuthenticator.pwd.at}', greater: 28_800 }

suite('what may be written', () => {
  test('LOGIN as PingOne and Terraform write it, with everything that is not there yet switched off', () => {
    const action = {
      ...login,
      recovery: { enabled: true },
      registration: { enabled: false, external: { href: 'https://corp.example' } },
      socialProviders: [{ id: 'x' }],
      enforceLockoutForIdentityProviders: true,
      condition: { or: [pwdOlder, { not: { secondsSince: '${session.lastSignOn.at}', greater: 60 } }] },
    }
    assert.deepEqual(validatePolicy([login, action, { ...login, unknownMember: 1.5 }]), [])
    assert.ok(policyActionSchema.safeParse(action).success)
  })

  /** Rows: what is written, then code and target of the one problem. */
  const refused: readonly (readonly [object, string, string])[] = [
    [
      { ...login, registration: { enabled: true, external: { href: 'https://corp.example' } } },
      'INVALID_VALUE',
      'registration.external',
    ],
    [{ ...login, socialProviders: [{}] }, 'REQUIRED_VALUE', 'socialProviders[0].id'],
    [{ type: 'IDENTITY_PROVIDER', priority: 1 }, 'REQUIRED_VALUE', 'identityProvider'],
    [
      {
        type: 'IDENTIFIER_FIRST',
        priority: 1,
        discoveryRules: [{ condition: { contains: 'x', value: '${user.email}' }, identityProvider: { id: 'x' } }],
      },
      'INVALID_VALUE',
      'discoveryRules[0].condition.value',
    ],
    [
      { ...login, newUserProvisioning: { gateways: [{ id: 'x', type: 'LDAP', userType: { id: 'y' } }] } },
      'INVALID_VALUE',
      'newUserProvisioning.gateways',
    ],
    [{ type: 'LOGIN' }, 'REQUIRED_VALUE', 'priority'],
    [{ type: 'LOGIN', priority: 0 }, 'OUT_OF_RANGE', 'priority'],
    [{ type: 'LOGIN', priority: 1.5 }, 'INVALID_VALUE', 'priority'],
    [{ ...login, recovery: {} }, 'REQUIRED_VALUE', 'recovery.enabled'],
    [{ type: 'PINGID_AUTHENTICATION', priority: 1 }, 'INVALID_VALUE', 'type'],
    [{ priority: 1 }, 'INVALID_VALUE', 'type'],
    [
      { ...login, condition: { secondsSince: pwdOlder.secondsSince, greater: 1.5 } },
      'INVALID_VALUE',
      'condition.greater',
    ],
    [{ ...login, condition: { riskLevel: 'HIGH' } }, 'INVALID_VALUE', 'condition'],
    [{ ...login, condition: null }, 'INVALID_VALUE', 'condition'],
    [{ ...login, condition: { value: '${user.population.id}', equals: 'x' } }, 'CONSTRAINT_VIOLATION', 'condition'],
    [
      { ...login, condition: { or: [pwdOlder, { not: { value: '${user.mfaEnabled}', equals: true } }] } },
      'CONSTRAINT_VIOLATION',
      'condition',
    ],
    [
      { ...login, condition: { contains: '${flow.request.http.remoteIp}', ipRange: ['10.0.0.0/8'] } },
      'CONSTRAINT_VIOLATION',
      'condition',
    ],
  ]

  for (const [action, code, target] of refused) {
    test(`${JSON.stringify(action)} is refused: ${code} ${target}`, () => {
      const problems = validatePolicy([{ ...login, condition: pwdOlder }, action])
      assert.deepEqual(
        problems.map((problem) => [problem.action, problem.code, problem.target]),
        [[1, code, target]],
      )
      assert.ok(problems[0]?.message)
    })
  }

  test('the type of an action is one of those this version runs, and the problem says which', () => {
    const [problem] = validatePolicy([{ type: 'PINGID_AUTHENTICATION', priority: 1 }])
    assert.deepEqual(problem?.innerError, { allowedValues: actions.map(({ type }) => type) })
  })

  test('conditions on the user are for actions where one is known: from priority 2 on', () => {
    const condition = { value: '${user.population.id}', equals: 'x' }
    assert.deepEqual(validatePolicy([login, { type: 'LOGIN', priority: 2, condition }]), [])
  })

  test('what is no object is a problem, not an exception', () => {
    for (const action of [null, undefined, 'LOGIN', 3, []]) assert.equal(validatePolicy([action]).length, 1)
  })

  test('the schema can be published', () => {
    const published = JSON.stringify(z.toJSONSchema(policyActionSchema))
    assert.ok(published.includes('secondsSince') && published.includes('LOGIN'))
  })
})

suite('compiling', () => {
  const source = {
    id: 'policy',
    name: 'Single_Factor',
    version: 3,
    actions: [
      { id: 'b', type: 'LOGIN' as const, priority: 2, recovery: { enabled: false } },
      { id: 'c', type: 'LOGIN' as const, priority: 1, condition: pwdOlder as never },
      { id: 'a', type: 'LOGIN' as const, priority: 2 },
    ],
  }

  test('sorts by priority, then id, and keeps what belongs to the action', () => {
    const { actions, ...policy } = compilePolicy(source)
    assert.deepEqual(policy, { id: 'policy', name: 'Single_Factor', version: 3 })
    assert.deepEqual(
      actions.map(({ id }) => id),
      ['c', 'a', 'b'],
    )
    assert.deepEqual(actions[2]?.config, { recovery: { enabled: false } })
    assert.ok(actions.every(({ policyVersion }) => policyVersion === 3))
    assert.equal(actions[1]?.condition, null)
    assert.deepEqual(
      actions[0]?.condition?.reads.map(({ fact }) => fact),
      ['session.lastSignOn.withAuthenticator.pwd.at'],
    )
  })

  test('the result cannot be changed', () => {
    const policy = compilePolicy(source)
    assert.ok(Object.isFrozen(policy) && Object.isFrozen(policy.actions) && policy.actions.every(Object.isFrozen))
  })

  test('a stored condition that cannot be read never lets its step be skipped', () => {
    const actions = [{ ...login, id: 'a', type: 'LOGIN' as const, condition: { future: 1 } as never }]
    const [action] = compilePolicy({ ...source, actions }).actions
    assert.equal(action?.condition?.evaluate({ session: null, user: null, request: null, now: 0 }), 'unknown')
  })

  test('an action of a type this version does not run cannot be compiled', () => {
    const actions = [{ id: 'a', type: 'PINGID_AUTHENTICATION' as 'LOGIN', priority: 1 }]
    assert.throws(() => compilePolicy({ ...source, actions }), /no such action type/)
  })
})
