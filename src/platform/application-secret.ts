/** The secret of an application: `~/applications/{id}/secret`. platform-api 3.8. Never: one for a public application. */
import { z } from 'zod'
import { uuid } from '../contract/validation.ts'
import { applicationSecrets } from '../environment/client-secret.ts'
import { controlledApplication } from './application-control.ts'
import { secretOperations } from './client-secret.ts'

export const applicationSecretOperations = secretOperations({
  ...applicationSecrets,
  path: '/v1/environments/{environmentId}/applications/{applicationId}/secret',
  params: z.object({ environmentId: uuid, applicationId: uuid }),
  tag: 'Application secret',
  source: 'platform-api 3.8',
  what: 'an application',
  ids: {
    read: 'readApplicationSecret',
    rotate: 'rotateApplicationSecret',
    forget: 'forgetPreviousApplicationSecret',
  },
  permissions: { read: 'applications:read:secret', update: 'applications:update:secret' },
  events: {
    read: 'APPLICATION_SECRET.READ',
    rotated: 'APPLICATION_SECRET.ROTATED',
    forgotten: 'APPLICATION_SECRET.PREVIOUS_REMOVED',
  },
  subject: 'APPLICATION',
  place: (id) => `applications/${id}`,
  idOf: ({ applicationId }) => applicationId,
  requireControl: controlledApplication,
  change: (id) => ({ kind: 'application', id }),
})
