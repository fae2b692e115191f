/** The `check_session_iframe`: OpenID Connect Session Management 1.0 section 3.2, authentication-api 1.2. */
import { z } from 'zod'
import { defineOperation, type Operation } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { checkSessionHeaders, checkSessionPage } from '../../pages/check-session.ts'
import { defineMetadata } from '../metadata.ts'

export const checksessionMetadata = defineMetadata({ check_session_iframe: z.string() }, (_environment, site) => ({
  check_session_iframe: `${site.issuer}/checksession`,
}))

export const checksessionOperations: readonly Operation[] = [
  defineOperation({
    id: 'checksession',
    method: 'GET',
    path: '/{environmentId}/as/checksession',
    surface: 'page',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'The frame that tells applications whether the session of the browser has changed',
    source: 'authentication-api 1.2; OpenID Connect Session Management 1.0 section 3.2',
    permission: { kind: 'public' },
    cors: 'none',
    servesWhenStale: true,
    params: z.object({ environmentId: uuid }),
    replies: { 200: null },
    errors: ['NOT_FOUND'],
    handle: () => ({ status: 200, html: checkSessionPage, headers: checkSessionHeaders }),
  }),
]
