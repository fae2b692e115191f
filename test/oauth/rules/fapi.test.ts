import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  codeEnd,
  demandsPushedRequests,
  demandsSignedRequests,
  fapiAuthorizationProblem,
  fapiProfiles,
  fapiRegistrationProblems,
  fapiSigningAlgorithm,
  isFapiAlgorithm,
  rotatesRefreshTokens,
} from '../../../src/oauth/rules/fapi.ts'

const good = {
  fapiProfile: 'FAPI_2_0_SECURITY',
  tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT',
  grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
  responseTypes: ['CODE'],
  redirectUris: ['https://app.test/cb'],
} as const
const request = { isCodeAlone: true, isChallenged: true, isRedirected: true }

suite('FAPI 2.0', () => {
  test('an application that keeps a profile is registered for it', () => {
    for (const tokenEndpointAuthMethod of ['PRIVATE_KEY_JWT', 'TLS_CLIENT_AUTH', 'SELF_SIGNED_TLS_CLIENT_AUTH']) {
      assert.deepEqual(fapiRegistrationProblems({ ...good, tokenEndpointAuthMethod }), [])
    }
    assert.deepEqual(fapiRegistrationProblems({ ...good, redirectUris: ['http://127.0.0.1/cb', 'app:/cb'] }), [])
    const wrong: readonly (readonly [object, string])[] = [
      ...['NONE', 'CLIENT_SECRET_BASIC', 'CLIENT_SECRET_POST', 'CLIENT_SECRET_JWT'].map(
        (tokenEndpointAuthMethod) => [{ tokenEndpointAuthMethod }, 'tokenEndpointAuthMethod'] as const,
      ),
      [{ tokenEndpointAuthSigningAlg: 'RS256' }, 'tokenEndpointAuthSigningAlg'],
      [{ requestObjectSigningAlg: 'RS256' }, 'requestObjectSigningAlg'],
      [{ requestObjectSigningAlg: 'none' }, 'requestObjectSigningAlg'],
      [{ idTokenSignedResponseAlg: 'RS256' }, 'idTokenSignedResponseAlg'],
      [{ userinfoSignedResponseAlg: 'RS256' }, 'userinfoSignedResponseAlg'],
      [{ acceptTokenEndpointAudience: true }, 'acceptTokenEndpointAudience'],
      [{ grantTypes: ['AUTHORIZATION_CODE', 'IMPLICIT'] }, 'grantTypes'],
      [{ responseTypes: ['CODE', 'ID_TOKEN'] }, 'responseTypes'],
      [{ redirectUris: ['https://app.test/cb', 'http://app.test/cb'] }, 'redirectUris'],
      [{ redirectUris: ['http://127.0.0.1.evil.test/cb'] }, 'redirectUris'],
    ]
    for (const [changes, member] of wrong) {
      const candidate = { ...good, ...changes }
      assert.deepEqual(
        fapiRegistrationProblems(candidate).map((problem) => problem.member),
        [member],
      )
      assert.deepEqual(fapiRegistrationProblems({ ...candidate, fapiProfile: 'NONE' }), [])
      assert.deepEqual(fapiRegistrationProblems({ ...candidate, fapiProfile: undefined }), [])
    }
  })

  test('what an authorization request has to be', () => {
    for (const fapiProfile of fapiProfiles) {
      const isFree = fapiProfile === 'NONE'
      assert.equal(demandsPushedRequests({ fapiProfile }), !isFree)
      assert.equal(demandsSignedRequests({ fapiProfile }), fapiProfile === 'FAPI_2_0_MESSAGE_SIGNING')
      assert.equal(rotatesRefreshTokens({ fapiProfile }), isFree)
      assert.equal(fapiAuthorizationProblem({ fapiProfile }, request), undefined)
      for (const member of Object.keys(request)) {
        const problem = fapiAuthorizationProblem({ fapiProfile }, { ...request, [member]: false })
        assert.equal(problem === undefined, isFree, member)
      }
    }
  })

  test('a code lives for a minute at most', () => {
    const code = { createdAt: 1000, expiresAt: 601_000 }
    assert.equal(codeEnd(good, code), 61_000)
    assert.equal(codeEnd(good, { ...code, expiresAt: 11_000 }), 11_000)
    assert.equal(codeEnd({}, code), 601_000)
  })

  test('what is signed for it where the environment signs otherwise', () => {
    assert.equal(fapiSigningAlgorithm(good), 'ES256')
    assert.equal(fapiSigningAlgorithm({ ...good, idTokenSignedResponseAlg: 'PS256' }), 'PS256')
    assert.equal(fapiSigningAlgorithm({ fapiProfile: 'NONE', idTokenSignedResponseAlg: 'PS256' }), undefined)
    assert.equal(fapiSigningAlgorithm({}), undefined)
  })

  test('algorithms', () => {
    for (const algorithm of ['PS256', 'ES256', 'EdDSA']) assert.ok(isFapiAlgorithm(algorithm))
    for (const algorithm of ['RS256', 'PS384', 'ES512', 'HS256', 'none']) assert.ok(!isFapiAlgorithm(algorithm))
  })
})
