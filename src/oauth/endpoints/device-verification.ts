/**
 * Where the user of a device goes with their browser: RFC 8628 section 3.3, authentication-api 1.2, 2.15. It begins a flow of
 * the application that the address names; of an address that names none, the flow is about no application until the user code
 * says which, and is judged by that one's policies from then on (row Q07).
 *
 * Never: anything decided by coming here: the code of the address is only shown (section 3.3.1, row Q06).
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { readUserCode, writeUserCode } from '../../directory/polled-grants.ts'
import type { Application } from '../../environment/application.ts'
import { notFound } from '../../errors/problem.ts'
import { beginOnPage } from '../../flow-runtime/begin-on-page.ts'
import { noApplication } from '../../flow-runtime/flow-application.ts'
import { applicationOfDevicePath } from '../../storage/sql/polled-grants.ts'

/** The application of an address: by its id, or by its `devicePathId`. @throws Problem NOT_FOUND */
async function applicationOf({ kernel, environment }: Context, identifier: string): Promise<Application> {
  let id: string | undefined = identifier
  if (!uuid.safeParse(identifier).success) {
    const [row] = await kernel.storage.read(applicationOfDevicePath(environment.id, identifier))
    id = row?.application_id
  }
  const application = id === undefined ? undefined : await kernel.environments.application(environment.id, id)
  if (!application?.enabled || !application.document.grantTypes.includes('DEVICE_CODE')) throw notFound()
  return application
}

async function visit(
  context: Context,
  appIdentifier: string | undefined,
  query: { readonly user_code?: string | undefined; readonly ui_locales?: string | undefined },
): Promise<Reply> {
  const application =
    appIdentifier === undefined ? noApplication(context.environment) : await applicationOf(context, appIdentifier)
  const typed = readUserCode(query.user_code ?? '')
  const deviceGrant = {
    userCode: typed.length === 8 ? writeUserCode(typed) : null,
    applicationId: appIdentifier === undefined ? null : application.id,
  }
  const uiLocales = query.ui_locales?.slice(0, 256)
  const location = await beginOnPage(context, { application, onlyUser: null, grants: { deviceGrant }, uiLocales })
  return { status: 302, headers: { location } }
}

const declaration = {
  method: 'GET',
  surface: 'page',
  tag: 'Pages',
  permission: { kind: 'public' },
  cors: 'none',
  source: 'authentication-api 1.2, 2.15; RFC 8628 section 3.3',
  query: z.object({ user_code: z.string().max(100).optional(), ui_locales: z.string().optional() }),
  replies: { 302: null },
  errors: ['NOT_FOUND', 'access_denied'],
} as const

export const deviceVerificationOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'deviceVerification',
    path: '/{environmentId}/device/{appIdentifier}',
    summary: 'Sign on to enter the code of a device of an application',
    params: z.object({ environmentId: uuid, appIdentifier: z.string().regex(/^[\w-]{1,50}$/) }),
    handle: ({ params, query }, context) => visit(context, params.appIdentifier, query),
  }),
  defineOperation({
    ...declaration,
    id: 'deviceVerificationWithoutApplication',
    path: '/{environmentId}/device',
    summary: 'Sign on to enter the code of a device',
    params: z.object({ environmentId: uuid }),
    handle: ({ query }, context) => visit(context, undefined, query),
  }),
]
