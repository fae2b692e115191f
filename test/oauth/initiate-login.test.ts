/** Where a login that somebody else initiates begins: OpenID Connect Core section 4; row A12. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { initiateLogin, type LoginRegistration } from '../../src/oauth/rules/initiate-login.ts'
import { dangerousUris } from './redirect-uri-corpus.ts'

const issuer = 'https://auth.test/e/as'
const registered: LoginRegistration = {
  initiateLoginUri: 'https://app.test/login',
  targetLinkUri: 'https://app.test/home#top',
  homePageUrl: 'https://www.app.test/',
  redirectUris: ['https://cb.app.test/cb', 'com.example.app:/cb'],
}
const nothing = { loginHint: undefined, targetLinkUri: undefined }

suite('initiated login', () => {
  test('iss always; the target of the application; a hint as it was given', () => {
    const login = initiateLogin(issuer, registered, { ...nothing, loginHint: 'ada' })
    assert.deepEqual(login, {
      uri: 'https://app.test/login',
      parameters: { iss: issuer, login_hint: 'ada', target_link_uri: 'https://app.test/home#top' },
    })
    assert.deepEqual(initiateLogin(issuer, { ...registered, targetLinkUri: undefined }, nothing), {
      uri: 'https://app.test/login',
      parameters: { iss: issuer },
    })
  })

  test('a target is at an origin that the application has registered', () => {
    const good = ['https://app.test/deep?x=1', 'https://www.app.test/', 'https://cb.app.test/anywhere']
    for (const targetLinkUri of good) {
      const login = initiateLogin(issuer, registered, { ...nothing, targetLinkUri })
      assert.equal('parameters' in login && login.parameters['target_link_uri'], targetLinkUri)
    }
    const bad = [
      ...dangerousUris,
      '',
      '/home',
      '//app.test/',
      'https://evil.test/',
      'https://app.test.evil.test/',
      'https://app.test@evil.test/',
      'https://evil.test\\@app.test/',
      'http://app.test/',
      'https://app.test:8443/',
      'com.example.app:/cb',
      'https://app.test/\nx',
    ]
    for (const targetLinkUri of bad) {
      const login = initiateLogin(issuer, registered, { ...nothing, targetLinkUri })
      assert.deepEqual(login, { refused: 'foreign target_link_uri' }, JSON.stringify(targetLinkUri))
    }
  })

  test('A12: an application without an address, or with one that runs code, cannot be asked', () => {
    for (const initiateLoginUri of [undefined, ...dangerousUris, 'com.example.app:/login']) {
      assert.deepEqual(initiateLogin(issuer, { ...registered, initiateLoginUri }, nothing), {
        refused: 'no initiateLoginUri',
      })
    }
  })

  test('whatever is asked for, the target has a registered origin', () => {
    const origins = ['https://app.test', 'https://www.app.test', 'https://cb.app.test']
    const sharp = fc.array(
      fc.constantFrom('https://', 'app.test', 'evil.test', '@', '\\', '/', ':', '#', '?', '.', '\t'),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          sharp.map((parts) => parts.join('')),
          fc.webUrl(),
        ),
        (targetLinkUri) => {
          const login = initiateLogin(issuer, registered, { ...nothing, targetLinkUri })
          if ('refused' in login) return
          assert.ok(origins.includes(new URL(login.parameters['target_link_uri'] ?? '').origin))
        },
      ),
      { numRuns: 5000 },
    )
  })
})
