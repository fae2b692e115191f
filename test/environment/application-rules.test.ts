/** What must fit together in an application, as tables: platform-api 3.7, decision D14. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { applicationDefaults } from '../../src/environment/application.ts'
import { applicationProblems, type Candidate, defaultPkceEnforcement } from '../../src/environment/application-rules.ts'

const fit: Candidate = {
  ...applicationDefaults,
  type: 'WEB_APP',
  grantTypes: ['AUTHORIZATION_CODE'],
  responseTypes: ['CODE'],
  redirectUris: ['https://app.test/cb'],
  tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
}

const targets = (change: Partial<Candidate>) =>
  applicationProblems({ ...fit, ...change }, undefined).map(({ target }) => target)

suite('application rules', () => {
  test('what fits has no problems', () => {
    const fitting: readonly Partial<Candidate>[] = [
      {},
      { grantTypes: ['AUTHORIZATION_CODE', 'IMPLICIT'], responseTypes: ['CODE', 'TOKEN', 'ID_TOKEN'] },
      { grantTypes: ['CLIENT_CREDENTIALS'], responseTypes: [], redirectUris: [] },
      { type: 'SINGLE_PAGE_APP', tokenEndpointAuthMethod: 'NONE' },
      { type: 'WORKER', tokenEndpointAuthMethod: 'NONE' },
      { corsSettings: { behavior: 'ALLOW_NO_ORIGINS' } },
      { corsSettings: { behavior: 'ALLOW_SPECIFIC_ORIGINS', origins: ['https://app.test'] } },
      { refreshTokenDuration: 60, refreshTokenRollingDuration: 60 },
      { grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] },
      { grantTypes: ['DEVICE_CODE', 'REFRESH_TOKEN'], responseTypes: [] },
      { grantTypes: ['CIBA', 'REFRESH_TOKEN'], responseTypes: [] },
      { grantTypes: ['TOKEN_EXCHANGE'], responseTypes: [] },
    ]
    for (const change of fitting) assert.deepEqual(targets(change), [], JSON.stringify(change))
  })

  test('what does not fit is named', () => {
    const unfit: readonly (readonly [Partial<Candidate>, string])[] = [
      [{ responseTypes: ['CODE', 'TOKEN'] }, 'responseTypes'],
      [{ responseTypes: ['ID_TOKEN'] }, 'responseTypes'],
      [{ grantTypes: ['IMPLICIT'] }, 'responseTypes'],
      [
        { grantTypes: ['CLIENT_CREDENTIALS'], responseTypes: [], tokenEndpointAuthMethod: 'NONE' },
        'tokenEndpointAuthMethod',
      ],
      [{ corsSettings: { behavior: 'ALLOW_NO_ORIGINS', origins: ['https://app.test'] } }, 'corsSettings.origins'],
      [{ corsSettings: { behavior: 'ALLOW_SPECIFIC_ORIGINS' } }, 'corsSettings.origins'],
      [
        { corsSettings: { behavior: 'ALLOW_SPECIFIC_ORIGINS', origins: ['https://a.test', '*'] } },
        'corsSettings.origins.1',
      ],
      [{ refreshTokenDuration: 61, refreshTokenRollingDuration: 60 }, 'refreshTokenDuration'],
      [{ grantTypes: ['REFRESH_TOKEN'], responseTypes: [] }, 'grantTypes'],
      [{ grantTypes: ['CLIENT_CREDENTIALS', 'REFRESH_TOKEN'], responseTypes: [] }, 'grantTypes'],
      [
        { grantTypes: ['TOKEN_EXCHANGE'], responseTypes: [], tokenEndpointAuthMethod: 'NONE' },
        'tokenEndpointAuthMethod',
      ],
      [{ grantTypes: ['JWT_BEARER'], responseTypes: [], tokenEndpointAuthMethod: 'NONE' }, 'tokenEndpointAuthMethod'],
      [{ grantTypes: ['TOKEN_EXCHANGE'], responseTypes: [], requireConsent: true }, 'requireConsent'],
      [{ redirectUris: ['https://app.test/cb', 'javascript:alert(1)'] }, 'redirectUris.1'],
      [{ postLogoutRedirectUris: ['data:text/html,x'] }, 'postLogoutRedirectUris.0'],
      [
        { allowWildcardInRedirectUris: true, postLogoutRedirectUris: ['https://app.test/*'] },
        'postLogoutRedirectUris.0',
      ],
      [{ initiateLoginUri: 'vbscript:x' }, 'initiateLoginUri'],
      [{ targetLinkUri: 'blob:https://app.test/x' }, 'targetLinkUri'],
      [{ homePageUrl: 'file:///etc/passwd' }, 'homePageUrl'],
      [{ loginPageUrl: 'about:blank' }, 'loginPageUrl'],
      [{ icon: { id: '1', href: 'JaVaScRiPt:alert(1)' } }, 'icon.href'],
    ]
    for (const [change, target] of unfit) assert.deepEqual(targets(change), [target], JSON.stringify(change))
  })

  test('D14: a public client that says nothing needs PKCE with S256', () => {
    assert.equal(defaultPkceEnforcement('NONE'), 'S256_REQUIRED')
    assert.equal(defaultPkceEnforcement('CLIENT_SECRET_BASIC'), 'OPTIONAL')
    assert.equal(defaultPkceEnforcement('CLIENT_SECRET_POST'), 'OPTIONAL')
  })
})
