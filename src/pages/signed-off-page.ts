/**
 * The page that says somebody is signed off: `{pagesBase}/signedOff`, where `signoff` leads when the application named no
 * address of its own (authentication-api 2.18). It says the same to everybody and changes nothing.
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { pageHeaders } from './headers.ts'
import { renderSignOff } from './sign-off.ts'
import { chooseLanguage } from './texts/language.ts'

export const signedOffPageOperations: readonly Operation[] = [
  defineOperation({
    id: 'signedOffPage',
    method: 'GET',
    path: '/{environmentId}/signedOff',
    surface: 'page',
    tag: 'Pages',
    summary: 'Say that somebody is signed off',
    source: 'authentication-api 2.18',
    permission: { kind: 'public' },
    cors: 'none',
    params: z.object({ environmentId: uuid }),
    query: z.object({ ui_locales: z.string().max(256).optional().catch(undefined) }),
    replies: { 200: null },
    errors: ['NOT_FOUND'],
    handle({ query }, { headers }) {
      const language = chooseLanguage(query.ui_locales, headers['accept-language'])
      const html = renderSignOff(
        { kind: 'done', returnTo: undefined, applicationName: undefined, frames: [] },
        language,
      )
      return { status: 200, html, headers: pageHeaders({ formActions: [] }) }
    },
  }),
]
