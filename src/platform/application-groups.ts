/**
 * The groups that the access control of an application names (platform-api 3.7), kept as rows beside its document, so that
 * a group that is in use is known as such.
 */
import type { ApplicationDocument } from '../environment/application.ts'
import { insertAll, remove } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { requireGroups } from './group-control.ts'

/**
 * Replaces the rows of an application, inside the unit that writes its document.
 * @throws Problem INVALID_DATA when one of the groups is not one of the environment
 */
export function* writeGroupsOf(
  environmentId: string,
  applicationId: string,
  { accessControl }: Pick<ApplicationDocument, 'accessControl'>,
): UnitBody<void> {
  const ids = [...new Set(accessControl?.group?.groups.map(({ id }) => id))]
  yield* requireGroups(environmentId, ids, 'accessControl.group.groups')
  const application = { environment_id: environmentId, application_id: applicationId }
  yield* remove('application_groups', application)
  if (ids.length > 0)
    yield* insertAll(
      'application_groups',
      ids.map((id) => ({ ...application, group_id: id })),
    )
}
