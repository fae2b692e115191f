import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { authorizationUrl, forget, newMemory, recall, remember } from '../../src/dev/demo-request.ts'
import { testWorld } from '../../src/world.ts'

const redirectUri = 'http://localhost:4000/dev/app/a1/callback'
const request = { clientId: 'a1', redirectUri, issuer: 'http://localhost:4000/e1/as', loginHint: 'demo', wishes: {} }
const parametersOf = (url: string) => Object.fromEntries(new URL(url).searchParams)

suite('request of the demo application', () => {
  test('it asks for a code with PKCE, state and nonce', () => {
    const memory = newMemory(testWorld())
    const url = authorizationUrl(request, memory)
    assert.ok(url.startsWith('http://localhost:4000/e1/as/authorize?'))
    assert.deepEqual(parametersOf(url), {
      response_type: 'code',
      scope: 'openid profile email',
      login_hint: 'demo',
      client_id: 'a1',
      redirect_uri: redirectUri,
      state: memory.state,
      nonce: memory.nonce,
      code_challenge: createHash('sha256').update(memory.verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
    assert.match(memory.verifier, /^[A-Za-z0-9_-]{43}$/)
  })

  test('wishes are passed on, but never in place of what is its own business', () => {
    const wishes = {
      response_type: 'token id_token',
      prompt: 'login',
      client_id: 'x',
      redirect_uri: 'x',
      state: 'x',
      nonce: 'x',
    }
    const memory = newMemory(testWorld())
    const parameters = parametersOf(authorizationUrl({ ...request, wishes }, memory))
    assert.equal(parameters['response_type'], 'token id_token')
    assert.equal(parameters['prompt'], 'login')
    assert.equal(parameters['client_id'], 'a1')
    assert.equal(parameters['redirect_uri'], redirectUri)
    assert.equal(parameters['state'], memory.state)
    assert.equal(parameters['nonce'], memory.nonce)
    assert.equal(parameters['code_challenge'], undefined)
  })

  test('each request is remembered by its state, beside others, where scripts cannot read it', () => {
    const [one, other] = [newMemory(testWorld()), newMemory(testWorld())]
    const line = remember(one, redirectUri)
    assert.match(line, /; Max-Age=3600; Path=\/dev\/app\/a1\/callback; HttpOnly; SameSite=Lax$/)
    assert.match(remember(one, redirectUri.replace('http:', 'https:')), /; Secure$/)
    assert.match(forget(one, redirectUri), /=; Max-Age=0; Path=\/dev\/app\/a1\/callback/)
    const header = [one, other].map((memory) => remember(memory, redirectUri).split(';')[0]).join('; ')
    assert.deepEqual(recall(header, one.state), one)
    assert.deepEqual(recall(header, other.state), other)
  })

  test('an answer to no request of this browser recalls nothing', () => {
    const memory = newMemory(testWorld())
    const header = remember(memory, redirectUri).split(';')[0]
    assert.equal(recall(header, undefined), undefined)
    assert.equal(recall(header, ''), undefined)
    assert.equal(recall(header, 'other'), undefined)
    assert.equal(recall(undefined, memory.state), undefined)
    assert.equal(recall(`demo.${memory.state}=short.short`, memory.state), undefined)
  })
})
