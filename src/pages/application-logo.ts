/**
 * The picture of a client that has registered itself (`logo_uri`, OpenID Connect Dynamic Client Registration 1.0 section 2),
 * served from here (row H08).
 *
 * Never: a document: whatever is in the bytes, a browser shows it as a picture or not at all.
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { notFound } from '../errors/problem.ts'

export const applicationLogoOperations: readonly Operation[] = [
  defineOperation({
    id: 'readApplicationLogo',
    method: 'GET',
    path: '/{environmentId}/as/logo/{applicationId}',
    surface: 'page',
    tag: 'Pages',
    summary: 'The picture of a client that has registered itself',
    source: 'OpenID Connect Dynamic Client Registration 1.0 section 2',
    extension: true,
    permission: { kind: 'public' },
    cors: 'none',
    params: z.object({ environmentId: uuid, applicationId: uuid }),
    replies: { 200: null },
    errors: ['NOT_FOUND'],
    async handle({ params }, { kernel, environment }) {
      const application = await kernel.environments.application(environment.id, params.applicationId)
      const { registration, icon } = application?.enabled ? application.document : {}
      const picture = registration && icon ? await kernel.pictures.read(icon.href) : undefined
      if (!picture) throw notFound()
      return {
        status: 200,
        file: picture,
        headers: {
          'cache-control': 'private, max-age=3600',
          pragma: [],
          'content-security-policy': "default-src 'none'; sandbox",
          'cross-origin-resource-policy': 'same-origin',
        },
      }
    },
  }),
]
