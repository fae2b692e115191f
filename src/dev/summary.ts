/** What `stile dev` prints when it is ready: a few calm lines, each of which works as printed (experience.md, "First run"). */
import type { Config } from '../config.ts'
import type { Quickstart } from './quickstart.ts'

/** The summary of a dev server. */
export function summary(quickstart: Quickstart, config: Config): string {
  const { issuer, apiUrl, authUrl, inboxUrl, worker, singlePageApp, mfaApp, user, mfaUser } = quickstart
  const where = config.dataDirectory === '.stile' ? '' : ` -- --data ${config.dataDirectory}`
  const token = `npm run -s stile token${where}`
  return `
  Stile is ready.

  Issuer    ${issuer}
  Data      ${config.databaseUrl ? 'PostgreSQL' : config.dataDirectory} (facts of this server: ${config.dataDirectory}/quickstart.json)

  Get an application token:

    curl -s -u ${worker.clientId}:${worker.clientSecret} \\
      -d grant_type=client_credentials ${issuer}/token

  Call the management API with it:

    curl -s -H "authorization: Bearer $(${token})" ${apiUrl}/v1/environments

  Sign on as ${user.username}, password ${user.password}:

    ${authUrl}/dev/app/${singlePageApp.clientId}

  Sign on with a second factor as ${mfaUser.username}, password ${mfaUser.password}; the passcode comes to the inbox below:

    ${authUrl}/dev/app/${mfaApp.clientId}

  ${config.smtp ? 'Messages that cannot be sent are kept' : 'Messages to users are kept, not sent'}; also npm run -s stile inbox${where}

    ${inboxUrl}

  Press Ctrl+C to stop.

`
}
